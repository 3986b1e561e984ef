/** What a role may do without asking for more: by itself, by the roles that it inherits, and as everybody may. */
import type {
  AclItem,
  Catalog,
  Command,
  Policy,
  Privilege,
  Relation,
  Role,
} from '../catalog/catalog.ts'
import { rolesOf } from '../catalog/memberships.ts'

interface Known {
  inherited: Map<number, Set<number>>
  heirs: Map<number, number[]>
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
  known.set(roles, { inherited, heirs })
  return { inherited, heirs }
}

/** Itself, PUBLIC, and what it inherits. */
export const inheritedBy = (catalog: Catalog, role: number): ReadonlySet<number> =>
  knownOf(catalog).inherited.get(role) ?? new Set([role, 0])

/** Who has what is granted to a role: itself, and who inherits it. Of PUBLIC, nobody in particular. */
export const heirsOf = (catalog: Catalog, role: number): readonly number[] =>
  role === 0 ? [0] : (knownOf(catalog).heirs.get(role) ?? [role])

/**
 * Those of them who have nothing of it anyway: neither the relation's owner, nor one who is above all rights. The owner of
 * a schema is often made a member of the roles of requests.
 */
export const servedBy = (catalog: Catalog, role: number, relation: Relation): number[] =>
  heirsOf(catalog, role).filter(
    (heir) =>
      heir === role ||
      (!isOwnedBy(catalog, relation, heir) &&
        catalog.roles.get(heir)?.bypassesRowSecurity !== true),
  )

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
  const isMember = (name: string) =>
    [...inheritedBy(catalog, role)].some((oid) => catalog.roles.get(oid)?.name === name)
  return (
    (readAllData.has(privilege) && isMember('pg_read_all_data')) ||
    (writeAllData.has(privilege) && isMember('pg_write_all_data'))
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
    .filter(({ acl }) => isWhole || hasIn(acl, all, privilege))
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
  columnsFor(catalog, role, relation, privilege).length > 0

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
