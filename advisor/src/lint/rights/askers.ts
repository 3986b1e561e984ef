/** Who a right opens something to: the roles that requests act as, and PUBLIC, which each of them is. */

import type { AclItem, Privilege } from '../../catalog/acl.ts'
import type { Catalog, Relation, Routine, Schema } from '../../catalog/catalog.ts'
import { kindsInWords } from '../../catalog/kinds-in-words.ts'

const PUBLIC = 0

const isAsker = ({ requestRoles }: Catalog, role: number): boolean =>
  role === PUBLIC || requestRoles.has(role)

/** Those of them that hold one of these rights, as roles that grants name. */
export function askersWith(
  catalog: Catalog,
  acl: readonly AclItem[],
  ...privileges: readonly Privilege[]
): number[] {
  const found = acl.filter(
    ({ grantee, privilege }) => privileges.includes(privilege) && isAsker(catalog, grantee),
  )
  return [...new Set(found.map(({ grantee }) => grantee))]
}

/** On a relation or on any of its columns, where its schema may be used. Its owner is none of them: that is another fault. */
export function askersOf(
  catalog: Catalog,
  relation: Relation,
  ...privileges: readonly Privilege[]
): number[] {
  if (!isUsable(catalog, relation.schema)) return []
  const acls = [relation.acl, ...relation.columns.map(({ acl }) => acl)]
  const askers = acls.flatMap((acl) => askersWith(catalog, acl, ...privileges))
  return [...new Set(askers)].filter((role) => role !== relation.owner)
}

export function callersOf(catalog: Catalog, routine: Routine): number[] {
  if (!isUsable(catalog, routine.schema)) return []
  return askersWith(catalog, routine.acl, 'execute').filter((role) => role !== routine.owner)
}

/** Whether any request gets into a schema. */
export const isUsable = (catalog: Catalog, { acl, isOfPostgres }: Schema): boolean =>
  isOfPostgres || askersWith(catalog, acl, 'usage').length > 0

/** As grants name it. */
export const nameOfRole = ({ roles }: Catalog, role: number): string =>
  role === PUBLIC ? 'public' : (roles.get(role)?.sql ?? String(role))

export const namesOfRoles = (catalog: Catalog, roles: readonly number[]): string =>
  roles.map((role) => nameOfRole(catalog, role)).join(', ')

/** As a grant calls it: an aggregate is a function there. */
export function grantedAs({ kind, sql }: Routine): string {
  return `${kind === 'procedure' ? kind : 'function'} ${sql.replace(/\(\*\)$/, '()')}`
}

/** As findings call it. */
export const calledAs = ({ kind, sql }: Routine): string =>
  `${kind === 'window function' ? 'function' : kind} ${sql}`

/** As findings call it. */
export const namedAs = ({ kind, sql }: Relation): string => `${kindsInWords[kind]} ${sql}`
