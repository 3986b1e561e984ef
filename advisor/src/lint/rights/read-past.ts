import type { Privilege } from '../../catalog/acl.ts'
import type { Catalog, Relation, RewriteRule } from '../../catalog/catalog.ts'
import { rolesOf } from '../../catalog/memberships.ts'
import type { TreeNode } from '../../catalog/parse-node-tree.ts'
import { nodesIn } from '../../catalog/parse-node-tree.ts'
import { relationsNamedIn } from '../expressions/trees.ts'
import { isTrue } from './asked-columns.ts'
import { nameOfRole } from './askers.ts'
import { policiesFor } from './role-rights.ts'

/** The query that a view is. */
export function queryOf({ rules }: Pick<Relation, 'rules'>): TreeNode | null {
  const rule = rules.find(({ event }) => event === 'select')
  return rule === undefined ? null : (queriesOf(rule)[0] ?? null)
}

export const queriesOf = ({ action }: RewriteRule): TreeNode[] =>
  action.tree.type === 'QUERY' ? [action.tree] : nodesIn(action.tree, 'queries')

const known = new WeakMap<Relation, ReadonlySet<Relation>>()

/** The tables that a view shows, also through other views. */
export function tablesBelow(catalog: Catalog, view: Relation): ReadonlySet<Relation> {
  const before = known.get(view)
  if (before !== undefined) return before
  const tables = new Set<Relation>()
  known.set(view, tables)
  const query = queryOf(view)
  for (const oid of query === null ? [] : relationsNamedIn(query)) {
    const relation = catalog.relations.get(oid)
    if (relation === undefined || relation === view) continue
    if (relation.kind === 'v' || relation.kind === 'm')
      for (const table of tablesBelow(catalog, relation)) tables.add(table)
    else tables.add(relation)
  }
  return tables
}

/** Whether a role was granted something on a relation, or inherits it from one that was. */
export function isGranted(
  { roles }: Catalog,
  role: number,
  { acl, owner }: Relation,
  privilege: Privilege,
): boolean {
  const own = rolesOf(roles, role)
  return own.has(owner) || acl.some((item) => item.privilege === privilege && own.has(item.grantee))
}

/** Whether policies keep rows of a table from one of these roles. */
export const isHeld = (catalog: Catalog, readers: readonly number[], table: Relation): boolean =>
  table.rowSecurity &&
  readers.some((role) => {
    const policies = policiesFor(catalog, role, table, 'select')
    return !(
      policies.some(({ isPermissive, using }) => isPermissive && isTrue(using)) &&
      policies.every(({ isPermissive, using }) => isPermissive || isTrue(using))
    )
  })

/** What these roles read of tables that they could not read by themselves, in words; null for nothing. */
export function readPast(
  catalog: Catalog,
  readers: readonly number[],
  tables: Iterable<Relation>,
): string | null {
  const found: string[] = []
  for (const table of tables) {
    const without = readers.filter((role) => !isGranted(catalog, role, table, 'select'))
    const [first] = without
    if (first !== undefined && !table.schema.isOfPostgres)
      found.push(`${table.sql}, which ${nameOfRole(catalog, first)} was not granted`)
    else if (isHeld(catalog, readers, table)) found.push(`${table.sql} past its policies`)
  }
  if (found.length === 0) return null
  const more = found.length > 3 ? ` and ${found.length - 3} more` : ''
  return `${found.slice(0, 3).join('; ')}${more}`
}
