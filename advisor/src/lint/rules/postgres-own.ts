/** What Postgres brings along, and somebody opened. */
import type { Routine } from '../../catalog/catalog.ts'
import { AS_SUPERUSER, FIRST_SUPERUSER, mendAs } from '../mends/mend-as.ts'
import { askersWith, nameOfRole } from '../rights/askers.ts'
import type { Rule } from '../rule.ts'
import type { Weight } from '../weight.ts'

const PUBLIC = 0

export const grantedInPgCatalog: Rule = {
  name: 'granted-in-pg-catalog',
  weight: 'leak',
  why:
    'Postgres keeps to superusers what reads files, hashes of passwords, or what others do; it was granted since this server ' +
    'was made.',
  find: (catalog) =>
    catalog.detours.changedPrivileges.flatMap(({ object, name, acl, initial }) => {
      const had = new Set(initial.map(({ grantee, privilege }) => `${grantee} ${privilege}`))
      const since = acl.filter(({ grantee, privilege }) => !had.has(`${grantee} ${privilege}`))
      const privileges = [...new Set(since.map(({ privilege }) => privilege))]
      return askersWith(catalog, since, ...privileges).map((role) => {
        const given = since.filter(({ grantee }) => grantee === role).map((one) => one.privilege)
        const to = nameOfRole(catalog, role)
        const isRead = given.every((privilege) => privilege === 'select')
        const weight: Weight =
          reachesOut.test(name) || !(isRead || given.includes('execute')) ? 'hole' : 'leak'
        return {
          object: `grant to ${to} on ${object}`,
          weight,
          detail: given.join(', '),
          mend: mendAs(catalog, [FIRST_SUPERUSER], mendFor(object, given, to)),
        }
      })
    }),
}

/** Files, programs, passwords, other sessions and other servers. */
const reachesOut =
  /^(pg_read_|pg_ls_|pg_stat_file|pg_file_|lo_import|lo_export|pg_authid|pg_shadow|pg_user_mapping|pg_reload|pg_rotate|pg_promote|pg_switch|pg_create_|pg_drop_|pg_logical_|pg_replication_|pg_import_|set_role|pg_backup|pg_start_|pg_stop_|binary_upgrade)/

/** `column of table` is how a column is named. */
function mendFor(object: string, given: readonly string[], to: string): string {
  const [, column, table] = /^(.+) of (pg_catalog\..+)$/.exec(object) ?? []
  if (column === undefined) return `revoke ${given.join(', ')} on ${object} from ${to};`
  return `revoke ${given.map((privilege) => `${privilege} (${column})`).join(', ')} on table ${table} from ${to};`
}

export const largeObjectGranted: Rule = {
  name: 'large-object-granted',
  weight: 'leak',
  why: 'A large object has no rows, so no policies: whoever is granted it has all of it.',
  find: (catalog) =>
    catalog.detours.largeObjects.flatMap(({ oid, owner, acl }) =>
      askersWith(catalog, acl, 'select', 'update')
        .filter((role) => role !== owner)
        .map((role) => {
          const given = acl.filter(({ grantee }) => grantee === role)
          const to = nameOfRole(catalog, role)
          return {
            object: `grant to ${to} on large object ${oid}`,
            ...(given.some(({ privilege }) => privilege === 'update')
              ? { weight: 'hole' as const }
              : {}),
            mend: `revoke all on large object ${oid} from ${to};`,
          }
        }),
    ),
}

export const largeObjectsForEverybody: Rule = {
  name: 'large-objects-for-everybody',
  weight: 'style',
  why:
    'Postgres lets everybody make large objects and fill them, past every table and its policies: whoever runs SQL in a ' +
    'request can fill the disk, and keep there what nobody finds.',
  find: (catalog) => {
    const open = [...catalog.functions.values()].filter(
      (routine) => makesLargeObjects(routine) && isForEverybody(routine),
    )
    if (open.length === 0) return []
    const types = ({ argumentTypes }: Routine) =>
      argumentTypes.map((oid) => catalog.types.get(oid)?.sql).join(', ')
    const signatures = open.map((routine) => `pg_catalog.${routine.sql}(${types(routine)})`)
    return [
      {
        object: 'functions pg_catalog.lo_*',
        detail: `everybody may execute ${[...new Set(open.map(({ name }) => name))].join(', ')}`,
        mend: `${AS_SUPERUSER}\nrevoke execute on function ${signatures.join(', ')} from public;`,
      },
    ]
  },
}

const makesLargeObjects = ({ name, schema }: Routine): boolean =>
  schema.isOfPostgres &&
  ['lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lowrite'].includes(name)

const isForEverybody = ({ acl }: Routine): boolean =>
  acl.some(({ grantee, privilege }) => grantee === PUBLIC && privilege === 'execute')
