import type { Privilege } from '../../catalog/acl.ts'
import type { Catalog, Policy, Relation } from '../../catalog/catalog.ts'
import { rolesOf } from '../../catalog/memberships.ts'

/** Which of the roles that requests act as are held to what. Roles that are past policies are left out. */
export interface Reach {
  /** Those that a policy holds for. */
  rolesOfPolicy(policy: Policy): Set<number>
  /** Those that have a right on a table, or on a column of it. */
  rolesWith(relation: Relation, privilege: Privilege): Set<number>
  /** Those that have it on one column. */
  rolesWithColumn(relation: Relation, privilege: Privilege, column: number): Set<number>
  /** To whom it was granted, of those whose rights these roles have. */
  granteesOf(relation: Relation, privilege: Privilege, roles: ReadonlySet<number>): number[]
}

export function reachOf(catalog: Catalog): Reach {
  const { roles, requestRoles } = catalog
  /** The request roles, or all where nobody knows of any, that have what is granted to a role. */
  const members = new Map<number, number[]>()
  for (const role of requestRoles.size > 0 ? requestRoles : roles.keys()) {
    const { isSuperuser = false, bypassesRowSecurity = false, name = 'pg_' } = roles.get(role) ?? {}
    if (isSuperuser || bypassesRowSecurity || name.startsWith('pg_')) continue
    for (const has of rolesOf(roles, role)) members.set(has, [...(members.get(has) ?? []), role])
  }
  const expand = (grantees: Iterable<number>, owner: number): Set<number> => {
    const found = new Set<number>()
    for (const grantee of grantees)
      for (const member of members.get(grantee) ?? []) if (member !== owner) found.add(member)
    return found
  }
  const granted = (
    relation: Relation,
    privilege: Privilege,
    column: number | null,
  ): Set<number> => {
    const columns = relation.columns.filter(({ number }) => column === null || number === column)
    const items = [...relation.acl, ...columns.flatMap(({ acl }) => acl)]
    return new Set(items.flatMap((item) => (item.privilege === privilege ? [item.grantee] : [])))
  }
  const memo = new Map<string, Set<number>>()
  const remembered = (key: string, find: () => Set<number>): Set<number> => {
    const found = memo.get(key) ?? find()
    memo.set(key, found)
    return found
  }
  return {
    rolesOfPolicy: (policy) => expand(policy.roles, policy.relation.owner),
    rolesWith: (relation, privilege) =>
      remembered(`${relation.oid} ${privilege}`, () =>
        expand(granted(relation, privilege, null), relation.owner),
      ),
    rolesWithColumn: (relation, privilege, column) =>
      expand(granted(relation, privilege, column), relation.owner),
    granteesOf: (relation, privilege, ofRoles) =>
      [...granted(relation, privilege, null)].filter(
        (grantee) =>
          grantee !== relation.owner &&
          (members.get(grantee) ?? []).some((member) => ofRoles.has(member)),
      ),
  }
}

export const intersect = (one: ReadonlySet<number>, other: ReadonlySet<number>): Set<number> =>
  new Set([...one].filter((value) => other.has(value)))

/** `webuser, cream`, as SQL names them. */
export const nameRoles = ({ roles }: Catalog, oids: Iterable<number>): string =>
  [...oids]
    .map((oid) => (oid === 0 ? 'public' : (roles.get(oid)?.sql ?? String(oid))))
    .sort()
    .join(', ')
