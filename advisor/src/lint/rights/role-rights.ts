/** What a role may do without asking for more: by itself, by the roles that it inherits, and as everybody may. */
import type { AclItem, Privilege } from '../../catalog/acl.ts'
import type { Catalog, Command, Policy, Relation, Role } from '../../catalog/catalog.ts'
import { rolesOf } from '../../catalog/memberships.ts'

interface Known {
  inherited: Map<number, Set<number>>
  heirs: Map<number, number[]>
  /** The roles whose members read, and write, everything. -1 where there is none. */
  readers: number
  writers: number
}
const known = new WeakMap<object, Known>()

function knownOf({ roles }: Pick<Catalog, 'roles'>): Known {
  const found = known.get(roles)
  if (found !== undefined) return found
  const inherited = new Map([0, ...roles.keys()].map((role) => [role, rolesOf(roles, role)]))
  const heirs = new Map<number, number[]>()
  for (const [role, all] of inherited)
    for (const from of all) {
      const known = heirs.get(from)
      if (known === undefined) heirs.set(from, [role])
      else known.push(role)
    }
  const named = (name: string) => [...roles.values()].find((role) => role.name === name)?.oid ?? -1
  const all = {
    ...{ inherited, heirs },
    readers: named('pg_read_all_data'),
    writers: named('pg_write_all_data'),
  }
  known.set(roles, all)
  return all
}

/** Itself, PUBLIC, and what it inherits. */
export const inheritedBy = (catalog: Catalog, role: number): ReadonlySet<number> =>
  knownOf(catalog).inherited.get(role) ?? new Set([role, 0])

/** Who has what is granted to a role: itself, and who inherits it. Of PUBLIC, nobody in particular. */
export const heirsOf = (catalog: Catalog, role: number): readonly number[] =>
  role === 0 ? [0] : (knownOf(catalog).heirs.get(role) ?? [role])

/**
 * Whether something is so for who was granted something on a relation, or for one who has it from there. Who has all of it
 * anyway does not count: its owner, who is often made a member of the roles of requests, and who is above all policies.
 */
export const isServed = (
  catalog: Catalog,
  role: number,
  relation: Relation,
  isSo: (role: number) => boolean,
): boolean =>
  isSo(role) ||
  heirsOf(catalog, role).some(
    (heir) => heir !== role && isServable(catalog, heir, relation) && isSo(heir),
  )

const isServable = (catalog: Catalog, role: number, relation: Relation): boolean =>
  !isOwnedBy(catalog, relation, role) && catalog.roles.get(role)?.bypassesRowSecurity !== true

/** Itself, and those who have what it is granted and nothing anyway. */
export const servedBy = (catalog: Catalog, role: number, relation: Relation): number[] =>
  heirsOf(catalog, role).filter((heir) => heir === role || isServable(catalog, heir, relation))

const everything = (role: Role | undefined): boolean => role?.isSuperuser === true

export function isOwnedBy(catalog: Catalog, { owner }: { owner: number }, role: number): boolean {
  return everything(catalog.roles.get(role)) || inheritedBy(catalog, role).has(owner)
}

const hasIn = (acl: readonly AclItem[], all: ReadonlySet<number>, privilege: Privilege): boolean =>
  acl.some((item) => item.privilege === privilege && all.has(item.grantee))

const readAllData = new Set<Privilege>(['select', 'usage'])
const writeAllData = new Set<Privilege>(['insert', 'update', 'delete', 'usage'])

/** Roles of Postgres whose members may read or write everything. */
function hasByMembership(catalog: Catalog, role: number, privilege: Privilege): boolean {
  if (!readAllData.has(privilege) && !writeAllData.has(privilege)) return false
  const { readers, writers } = knownOf(catalog)
  const all = inheritedBy(catalog, role)
  return (
    (readAllData.has(privilege) && all.has(readers)) ||
    (writeAllData.has(privilege) && all.has(writers))
  )
}

/** Whether a role has a right on a schema, a function, or all of a relation. */
export function mayOn(
  catalog: Catalog,
  role: number,
  object: { owner: number; acl: readonly AclItem[] },
  privilege: Privilege,
): boolean {
  return (
    isOwnedBy(catalog, object, role) ||
    hasIn(object.acl, inheritedBy(catalog, role), privilege) ||
    (privilege !== 'execute' && hasByMembership(catalog, role, privilege))
  )
}

/** The columns that a role has a right on. */
export function columnsFor(
  catalog: Catalog,
  role: number,
  relation: Relation,
  privilege: Privilege,
): number[] {
  const isWhole = mayOn(catalog, role, relation, privilege)
  const all = inheritedBy(catalog, role)
  return relation.columns
    .filter(({ acl }) => isWhole || (acl.length > 0 && hasIn(acl, all, privilege)))
    .map(({ number }) => number)
}

/** On all of a relation, or on a column of it. */
export const mayOnSome = (
  catalog: Catalog,
  role: number,
  relation: Relation,
  privilege: Privilege,
): boolean =>
  mayOn(catalog, role, relation, privilege) ||
  relation.columns.some(
    ({ acl }) => acl.length > 0 && hasIn(acl, inheritedBy(catalog, role), privilege),
  )

/** Whether policies do not hold for a role: check_enable_rls in Postgres' rls.c. */
export function isPastPolicies(catalog: Catalog, role: number, relation: Relation): boolean {
  if (!relation.rowSecurity) return true
  const { isSuperuser = false, bypassesRowSecurity = false } = catalog.roles.get(role) ?? {}
  if (isSuperuser || bypassesRowSecurity) return true
  return !relation.forced && isOwnedBy(catalog, relation, role)
}

/** The policies that hold for a role and a command. */
export function policiesFor(
  catalog: Catalog,
  role: number,
  { policies }: Relation,
  command: Exclude<Command, 'all'>,
): Policy[] {
  if (policies.length === 0) return []
  const all = inheritedBy(catalog, role)
  return policies.filter(
    (policy) =>
      (policy.command === command || policy.command === 'all') &&
      policy.roles.some((oid) => all.has(oid)),
  )
}
