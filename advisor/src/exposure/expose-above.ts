import type { Catalog, Role } from '../catalog/catalog.ts'
import { canBecome, closureOf } from '../catalog/memberships.ts'
import type { Exposure } from './exposure.ts'
import type { Standing } from './standing.ts'

/** Logins that no grant and no policy holds, and that are not among those that are shown. */
export function exposeAbove(catalog: Catalog, shown: readonly Standing[]): Exposure['above'] {
  const isShown = new Set(shown.map(({ oid }) => oid))
  const owners = ownersOf(catalog)
  return [...catalog.roles.values()]
    .filter(({ oid, canLogin }) => canLogin && !isShown.has(oid))
    .map((role) => ({ name: role.name, because: reasonsOf(catalog, role, owners) }))
    .filter(({ because }) => because.length > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Whoever owns something that is asked about may alter it. */
const ownersOf = ({ relations, functions, schemas, database }: Catalog): Set<number> =>
  new Set([
    database.owner,
    ...[...relations.values(), ...functions.values(), ...schemas.values()]
      .filter(({ isAsked }) => isAsked)
      .map(({ owner }) => owner),
  ])

function reasonsOf(catalog: Catalog, role: Role, owners: ReadonlySet<number>): string[] {
  if (role.isSuperuser) return ['is a superuser']
  const has = closureOf(catalog.roles, [role.oid], ({ inherit, set }) => inherit || set)
  // Attributes are not inherited, only taken with `set role`.
  const become = [...canBecome(catalog.roles, role.oid)].flatMap(
    (oid) => catalog.roles.get(oid) ?? [],
  )
  const may = (attribute: 'isSuperuser' | 'bypassesRowSecurity' | 'replicates' | 'createsRoles') =>
    become.some((one) => one[attribute])
  return [
    ...(may('isSuperuser') ? ['may become a superuser'] : []),
    ...(may('bypassesRowSecurity') ? ['bypasses row-level security'] : []),
    ...(may('replicates') ? ['replicates'] : []),
    ...(may('createsRoles') ? ['makes roles'] : []),
    ...([...has].some((oid) => owners.has(oid)) ? ['owns what is shown'] : []),
  ]
}
