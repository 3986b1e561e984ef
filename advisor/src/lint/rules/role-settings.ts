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
