import type { Catalog, Policy, Role } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { policiesOf } from '../asking/policies-of.ts'
import { nameRoles } from '../asking/reach.ts'
import { type Surroundings, surroundingsOf } from '../asking/surroundings.ts'
import { expressionsOf, textsOf } from '../mends/policy-expressions.ts'
import type { Fault, Rule } from '../rule.ts'

/** The first oid that is not of Postgres' own. */
const FIRST_OF_OTHERS = 16_384

/** A role that logs in, and has what it may do only once it has become another. */
export const isDoor = ({ canLogin, isSuperuser, memberships }: Role): boolean =>
  canLogin &&
  !isSuperuser &&
  memberships.some(({ set, inherit, role }) => set && !inherit && role >= FIRST_OF_OTHERS)

/**
 * Roles that requests arrive as and are not to act as: those that log in to become another, and where the roles of requests
 * are known and some of them cannot log in, all that can.
 */
function loginRolesOf(catalog: Catalog, names: Names): Set<number> {
  const { roles, requestRoles } = catalog
  const requests = [...requestRoles].flatMap((oid) => roles.get(oid) ?? [])
  const isDivided = names.requestRoles !== null && requests.some(({ canLogin }) => !canLogin)
  // Where nobody has said what requests act as, one that has rights itself may well be used as it is.
  const used = names.requestRoles === null ? granteesIn(catalog) : new Set<number>()
  const logins = [...roles.values()].filter(
    (role) =>
      (isDoor(role) && !used.has(role.oid)) ||
      (isDivided &&
        role.canLogin &&
        requestRoles.has(role.oid) &&
        !names.directRoles.includes(role.name)),
  )
  return new Set(logins.filter(({ isSuperuser }) => !isSuperuser).map(({ oid }) => oid))
}

const granteesIn = ({ relations }: Catalog): Set<number> => {
  const grantees = new Set<number>()
  for (const { isAsked, acl } of relations.values())
    if (isAsked) for (const { grantee } of acl) grantees.add(grantee)
  return grantees
}

export const policyToLoginRole: Rule = {
  name: 'policy-to-login-role',
  weight: 'hole',
  why:
    'Every request arrives as this role, before anybody knows who asks: what it sees, everybody sees. It is for the role ' +
    'that a request becomes.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    const logins = loginRolesOf(catalog, names)
    return policiesOf(catalog)
      .filter(
        ({ isPermissive, roles, relation }) =>
          isPermissive && roles.some((role) => logins.has(role) && role !== relation.owner),
      )
      .map((policy) => {
        const arriving = policy.roles.filter((role) => logins.has(role))
        const detail = `it is for ${nameRoles(catalog, arriving)}`
        const mend = forOthers(around, policy, logins)
        const isTrusted = arriving.every((role) =>
          names.trustedRoles.includes(catalog.roles.get(role)?.name ?? ''),
        )
        return isTrusted ? decision(policy, detail, mend) : { object: policy.object, detail, mend }
      })
  },
}

/** Of a server that lets nobody send statements as that role, its own code may need it before it becomes another. */
const decision = ({ object }: Policy, detail: string, mend: string): Fault => ({
  ...{ object, detail, weight: 'leak' },
  mend:
    '-- to be decided: does a function need it that runs before the request becomes another role? If not:\n' +
    mend.replaceAll(/^(?!--)/gm, '-- '),
})

/** For the other roles that it names; else, if it asks who it is, for those that are granted the table. */
function forOthers(around: Surroundings, policy: Policy, logins: ReadonlySet<number>): string {
  const { catalog } = around
  const { relation, sql } = policy
  const left = policy.roles.filter((role) => !logins.has(role))
  const granted = new Set(
    [...relation.acl, ...relation.columns.flatMap(({ acl }) => acl)].map(({ grantee }) => grantee),
  )
  const asks = expressionsOf(policy).every(
    ({ expression }) => around.openBranches(policy, expression).length === 0,
  )
  const others = [...granted].filter((role) => catalog.requestRoles.has(role) && !logins.has(role))
  const roles = left.length > 0 ? left : asks ? others : []
  return roles.length > 0
    ? `alter policy ${sql} on ${relation.sql} to ${nameRoles(catalog, roles)};`
    : `-- or, if that is meant, for a role that requests become; it was: ${textsOf(policy)}\ndrop policy ${sql} on ${relation.sql};`
}
