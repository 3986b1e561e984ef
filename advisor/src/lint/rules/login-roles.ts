import type { Catalog } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { policiesOf } from '../asking/policies-of.ts'
import { dropPolicy } from '../policy-expressions.ts'
import type { Rule } from '../rule.ts'
import { isDoor } from './identity-sources.ts'

/**
 * Roles that requests arrive as and are not to act as: those that log in to become another, and where the roles of requests
 * are known and some of them cannot log in, all that can.
 */
function loginRolesOf({ roles, requestRoles }: Catalog, names: Names): Set<number> {
  const requests = [...requestRoles].flatMap((oid) => roles.get(oid) ?? [])
  const isDivided = names.requestRoles !== null && requests.some(({ canLogin }) => !canLogin)
  const logins = [...roles.values()].filter(
    (role) => isDoor(role) || (isDivided && role.canLogin && requestRoles.has(role.oid)),
  )
  return new Set(logins.filter(({ isSuperuser }) => !isSuperuser).map(({ oid }) => oid))
}

export const policyToLoginRole: Rule = {
  name: 'policy-to-login-role',
  weight: 'hole',
  why:
    'Every request arrives as this role, before anybody knows who asks: what it sees, everybody sees. It is for the role ' +
    'that a request becomes.',
  find: (catalog, names) => {
    const logins = loginRolesOf(catalog, names)
    return policiesOf(catalog)
      .filter(
        ({ isPermissive, roles, relation }) =>
          isPermissive && roles.some((role) => logins.has(role) && role !== relation.owner),
      )
      .map((policy) => {
        const left = policy.roles.filter((role) => !logins.has(role))
        const roles = left
          .map((role) => (role === 0 ? 'public' : (catalog.roles.get(role)?.sql ?? '')))
          .join(', ')
        return {
          object: policy.object,
          detail: `it is for ${namesOf(
            catalog,
            policy.roles.filter((role) => logins.has(role)),
          )}`,
          mend:
            left.length > 0
              ? `alter policy ${policy.sql} on ${policy.relation.sql} to ${roles};`
              : `-- or, for those who are signed in: alter policy ${policy.sql} on ${policy.relation.sql} to …\n${dropPolicy(policy)}`,
        }
      })
  },
}

const namesOf = ({ roles }: Catalog, oids: number[]): string =>
  oids.map((oid) => roles.get(oid)?.sql ?? '').join(', ')
