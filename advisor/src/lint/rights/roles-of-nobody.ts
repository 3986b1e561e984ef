import type { Catalog } from '../../catalog/catalog.ts'

const known = new WeakMap<Catalog, ReadonlySet<number>>()

/** Roles that cannot log in, have no members, and are none of those that requests act as. */
export function rolesOfNobody(catalog: Catalog): ReadonlySet<number> {
  const found = known.get(catalog)
  if (found !== undefined) return found
  const all = [...catalog.roles.values()]
  const joined = new Set(all.flatMap(({ memberships }) => memberships.map(({ role }) => role)))
  const idle = all.filter(
    ({ oid, canLogin }) => !canLogin && !joined.has(oid) && !catalog.requestRoles.has(oid),
  )
  const roles = new Set(idle.map(({ oid }) => oid))
  known.set(catalog, roles)
  return roles
}
