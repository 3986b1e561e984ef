import type { Catalog, DefaultPrivilege } from '../../catalog/catalog.ts'
import { mendAs } from '../mends/mend-as.ts'
import { askersWith, nameOfRole } from '../rights/askers.ts'
import type { Fault, Rule } from '../rule.ts'
import type { Weight } from '../weight.ts'

export const grantedByDefault: Rule = {
  name: 'granted-by-default',
  weight: 'leak',
  why:
    'Every table that is made from now on is open to requests before anybody has written a policy for it: a migration that ' +
    'forgets row-level security shows all of it.',
  // As the platform set its schemas up: a table that is open by it is told as that table.
  find: (catalog, { grantedSchemas }) =>
    catalog.defaultPrivileges
      .filter(({ schema }) => schema === null || catalog.schemas.get(schema)?.isAsked === true)
      .filter(
        ({ schema }) => !grantedSchemas.includes(catalog.schemas.get(schema ?? 0)?.name ?? ''),
      )
      .flatMap((given) => faultsOf(catalog, given)),
}

/** What is granted of them; only tables have rows. */
const kinds: Partial<Record<DefaultPrivilege['object'], { called: string; weight: Weight }>> = {
  relation: { called: 'tables', weight: 'leak' },
  sequence: { called: 'sequences', weight: 'style' },
  function: { called: 'functions', weight: 'style' },
  schema: { called: 'schemas', weight: 'style' },
  'large object': { called: 'large objects', weight: 'leak' },
}

function faultsOf(catalog: Catalog, { role, schema, object, acl }: DefaultPrivilege): Fault[] {
  const kind = kinds[object]
  if (kind === undefined) return []
  const privileges = [...new Set(acl.map(({ privilege }) => privilege))]
  return askersWith(catalog, acl, ...privileges)
    .filter((asker) => asker !== role && !(asker === 0 && object === 'function'))
    .map((asker) => {
      const to = nameOfRole(catalog, asker)
      const within = schema === null ? '' : ` in schema ${catalog.schemas.get(schema)?.sql}`
      const of = nameOfRole(catalog, role)
      const given = acl.filter(({ grantee }) => grantee === asker).map(({ privilege }) => privilege)
      return {
        object: `default grant to ${to} on ${kind.called} of ${of}${within}`,
        weight: kind.weight,
        detail: `${given.join(', ')} on each one that ${of} makes`,
        mend: mendAs(
          catalog,
          [role],
          `alter default privileges for role ${of}${within} revoke all on ${kind.called} from ${to};`,
        ),
      }
    })
}
