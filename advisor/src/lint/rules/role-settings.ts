import { FIRST_SUPERUSER, mendAs } from '../mends/mend-as.ts'
import { quoteName } from '../mends/quote-name.ts'
import { askersWith, nameOfRole } from '../rights/askers.ts'
import type { Fault, Rule } from '../rule.ts'
import type { Weight } from '../weight.ts'

const settings: readonly { is: RegExp; weight: Weight; does: string }[] = [
  {
    is: /^session_replication_role=(replica)$/i,
    weight: 'hole',
    does: 'neither triggers nor foreign keys hold',
  },
  {
    is: /^lo_compat_privileges=(on|true|yes|1)$/i,
    weight: 'hole',
    does: 'everybody may read and write every large object',
  },
  {
    is: /^row_security=(off|false|no|0)$/i,
    weight: 'failure',
    does: 'every query of a table with policies fails',
  },
]

export const settingOpens: Rule = {
  name: 'setting-opens',
  weight: 'hole',
  why: 'What is set on a role or on the database holds from the first statement of each connection, and nobody looks there.',
  find: ({ roles, requestRoles, database, detours }, { identitySettings }) => {
    const here = `database "${database.name.replaceAll('"', '""')}"`
    const ofRoles = [...requestRoles].flatMap((oid) => {
      const role = roles.get(oid)
      if (role === undefined) return []
      const mend = (name: string) =>
        `alter role ${role.sql} reset ${name};\nalter role ${role.sql} in ${here} reset ${name};`
      return faultsOf(`role ${role.sql}`, role.settings, identitySettings, mend)
    })
    const mend = (name: string) => `alter ${here} reset ${name};`
    return [...ofRoles, ...faultsOf(here, detours.databaseSettings, identitySettings, mend)]
  },
}

function faultsOf(
  of: string,
  set: readonly string[],
  identitySettings: readonly string[],
  mend: (name: string) => string,
): Fault[] {
  return set.flatMap((setting) => {
    const name = setting.split('=')[0] ?? ''
    const isIdentity = identitySettings.some((one) =>
      one.endsWith('.') ? name.startsWith(one) : name === one,
    )
    const saysWho = { weight: 'hole' as const, does: 'it says who asks, before anybody has asked' }
    const known = settings.find(({ is }) => is.test(setting)) ?? (isIdentity ? saysWho : undefined)
    if (known === undefined) return []
    const { weight, does } = known
    return [
      {
        object: `setting ${name} of ${of}`,
        weight,
        detail: `${setting}: ${does}`,
        mend: mend(name),
      },
    ]
  })
}

/** Of a server's settings: what SQL that came with a request could do by setting them. */
const parameters: readonly { is: RegExp; weight: Weight; does: string }[] = [
  {
    is: /^(session_replication_role|lo_compat_privileges|allow_system_table_mods|allow_in_place_tablespaces)$/i,
    weight: 'hole',
    does: 'neither triggers, foreign keys nor the catalog hold any more',
  },
  {
    is: /^(session_preload_libraries|dynamic_library_path|extension_control_path|jit_provider)$/i,
    weight: 'hole',
    does: 'the server runs code that is named there',
  },
  {
    is: /^(log_|pgaudit\.|track_|zero_damaged_pages$|ignore_checksum_failure$)/i,
    weight: 'leak',
    does: 'what it does is no longer written down, or more of what others do is',
  },
]

export const parameterGranted: Rule = {
  name: 'parameter-granted',
  weight: 'hole',
  why:
    'Postgres keeps these settings to superusers: with them whoever runs SQL in a request turns off what holds for everybody, ' +
    'or has the server run what it likes. A grant of one is for all databases, and stands in none of them.',
  find: (catalog) =>
    catalog.parameters.flatMap(({ name, acl }) =>
      askersWith(catalog, acl, 'set', 'alter system').map((role) => {
        const given = new Set(
          acl.filter(({ grantee }) => grantee === role).map(({ privilege }) => privilege),
        )
        const isOfServer = given.has('alter system')
        const known = parameters.find(({ is }) => is.test(name))
        const does = isOfServer
          ? 'it may change it for the whole server, to last'
          : (known?.does ?? 'it may change what is kept to superusers')
        const to = nameOfRole(catalog, role)
        const sql = name.split('.').map(quoteName).join('.')
        return {
          object: `grant to ${to} on parameter ${sql}`,
          weight: isOfServer ? ('hole' as const) : (known?.weight ?? ('style' as const)),
          detail: `${[...given].join(', ')}: ${does}`,
          mend: mendAs(
            catalog,
            [FIRST_SUPERUSER],
            `revoke ${[...given].join(', ')} on parameter ${sql} from ${to};`,
          ),
        }
      }),
    ),
}
