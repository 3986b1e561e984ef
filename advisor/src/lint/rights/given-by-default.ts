import type { Privilege } from '../../catalog/acl.ts'
import type { Catalog, Relation } from '../../catalog/catalog.ts'

/** Whether a role has a right on whatever is made in a place, so that it was given on this without a thought of it. */
export const isGivenByDefault = (
  { defaultPrivileges }: Catalog,
  role: number,
  { owner, schema }: Relation,
  privilege: Privilege,
): boolean =>
  defaultPrivileges.some(
    (given) =>
      given.object === 'relation' &&
      given.role === owner &&
      (given.schema === null || given.schema === schema.oid) &&
      given.acl.some((item) => item.grantee === role && item.privilege === privilege),
  )
