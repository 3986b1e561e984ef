import type { Action, Rows } from './exposure.ts'
import type { PolicyRow, RelationRow } from './queries.ts'
import type { Catalog } from './read-catalog.ts'

/** Which rows of a relation an action reaches, for a role that may do it. */
export function rowsOf(
  catalog: Catalog,
  relation: RelationRow,
  role: number,
  action: Action,
): Rows {
  if (relation.kind === 'v') return rowsOfView(catalog, relation, role, action)
  if (relation.kind === 'm')
    return { kind: 'all', reason: 'row-level security does not apply to a materialized view' }
  if (relation.kind === 'f')
    return { kind: 'all', reason: 'row-level security does not apply to a foreign table' }
  if (action === 'truncate')
    return { kind: 'all', reason: 'row-level security does not apply to truncate' }
  const past = reasonToPass(catalog, relation, role)
  if (past !== null) return { kind: 'all', reason: past }
  const policies = catalog.policies.filter(
    ({ relation: of, command, roles }) =>
      of === relation.oid && (command === action || command === 'all') && roles.includes(role),
  )
  if (!policies.some(({ is_restrictive }) => !is_restrictive)) return { kind: 'none' }
  return { kind: 'policies', policies: policies.map((policy) => partsFor(policy, action)) }
}

/** Why row-level security does not bind a role on a table, as check_enable_rls() in Postgres decides it. */
function reasonToPass(catalog: Catalog, relation: RelationRow, oid: number): string | null {
  const role = catalog.roles.get(oid)
  if (!relation.row_security) return 'row-level security is off'
  if (role?.is_superuser) return 'a superuser is past row-level security'
  if (role?.bypasses_row_security) return 'the role bypasses row-level security'
  if (!relation.forced && catalog.isOwner(oid, relation.owner))
    return 'the role owns the table, and row-level security is not forced on its owner'
  return null
}

/** What a policy asks of an action: an insert looks at no row that is there, and a read writes none. */
function partsFor({ name, is_restrictive, using, with_check }: PolicyRow, action: Action) {
  const check = with_check ?? using
  return {
    name,
    is_restrictive,
    using: action === 'insert' ? null : using,
    with_check: action === 'insert' || action === 'update' ? check : null,
  }
}

function rowsOfView(catalog: Catalog, view: RelationRow, role: number, action: Action): Rows {
  if (view.instead.includes(action))
    return { kind: 'all', reason: 'a trigger of the view does it instead, and decides' }
  const reads = sourcesOf(catalog, view, role)
    .map(({ source, as }) => ({
      relation: `${source.schema_name}.${source.name}`,
      as: as === role ? 'the caller' : `its owner ${catalog.roles.get(as)?.name}`,
      rows: rowsOf(catalog, source, as, action),
    }))
    .sort((a, b) => (`${a.relation} ${a.as}` < `${b.relation} ${b.as}` ? -1 : 1))
  return { kind: 'view', reads }
}

/**
 * The tables that a view reads, and as whom. A view reads what it names with its owner's rights, a
 * security_invoker view with those of whoever runs the query, also where another view stands between.
 */
function sourcesOf(
  catalog: Catalog,
  view: RelationRow,
  caller: number,
  seen = new Set<string>(),
): { source: RelationRow; as: number }[] {
  const as = view.is_invoker ? caller : view.owner
  return (catalog.sources.get(view.oid) ?? []).flatMap((oid) => {
    const source = catalog.relations.get(oid)
    const key = `${oid} ${as}`
    if (source === undefined || seen.has(key)) return []
    seen.add(key)
    return source.kind === 'v' ? sourcesOf(catalog, source, caller, seen) : [{ source, as }]
  })
}
