import type { Role } from './catalog.ts'

type Membership = Role['memberships'][number]

/** Roles, and all that they are members of, directly or not, over memberships of some kind. */
export function closureOf(
  roles: ReadonlyMap<number, Role>,
  from: readonly number[],
  counts: (membership: Membership) => boolean = () => true,
): Set<number> {
  const reached = new Set(from)
  for (const oid of reached)
    for (const membership of roles.get(oid)?.memberships ?? [])
      if (counts(membership)) reached.add(membership.role)
  return reached
}

/** The roles whose rights and policies a role has without asking: itself, what it inherits, and PUBLIC. */
export const rolesOf = (roles: ReadonlyMap<number, Role>, role: number): Set<number> =>
  closureOf(roles, role === 0 ? [0] : [role, 0], ({ inherit }) => inherit)

/** The roles that it can take with `set role`, itself included. */
export const canBecome = (roles: ReadonlyMap<number, Role>, role: number): Set<number> =>
  closureOf(roles, [role], ({ set }) => set)
