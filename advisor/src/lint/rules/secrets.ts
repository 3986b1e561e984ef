import type { Catalog, Column, Policy, Relation } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { surroundingsOf } from '../asking/surroundings.ts'
import { isAlways } from '../expressions/truth.ts'
import {
  askedRelations,
  byGrantee,
  grantInWords,
  grantsOn,
  roleIn,
} from '../rights/relation-grants.ts'
import { isPastPolicies, policiesFor } from '../rights/role-rights.ts'
import { isSensitive } from '../rights/sensitive-columns.ts'
import type { Fault, Rule } from '../rule.ts'

export const sensitiveColumnReadable: Rule = {
  name: 'sensitive-column-readable',
  weight: 'leak',
  why:
    'By its name it holds what opens something or names somebody, and whoever was granted it reads that of everybody, ' +
    'because no policy leaves a row out.',
  find: (catalog, names) =>
    askedRelations(catalog).flatMap((relation) => {
      const secret = relation.columns.filter(isSensitive)
      if (secret.length === 0) return []
      const reading = grantsOn(relation).filter(
        ({ privilege, column }) =>
          privilege === 'select' && (column === null || secret.includes(column)),
      )
      return byGrantee(reading).flatMap((grants): Fault[] => {
        const grantee = grants[0]?.grantee ?? 0
        const isAsker = grantee === 0 || catalog.requestRoles.has(grantee)
        if (!isAsker || !showsAll(catalog, names, grantee, relation)) return []
        const columns = secret.filter((one) =>
          grants.some(({ column }) => column === null || column === one),
        )
        return [
          {
            object: grantInWords(catalog, relation, grantee),
            detail: columns.map(({ name }) => name).join(', '),
            mend: withoutSecrets(catalog, relation, grantee, secret),
          },
        ]
      })
    }),
}

/** Whether a role sees every row there is, its own policies or none holding. */
function showsAll(catalog: Catalog, names: Names, role: number, relation: Relation): boolean {
  if (relation.kind === 'v') return false
  if (isPastPolicies(catalog, role, relation))
    return catalog.roles.get(role)?.bypassesRowSecurity !== true
  const policies = policiesFor(catalog, role, relation, 'select')
  const around = surroundingsOf(catalog, names)
  const isOpen = (policy: Policy) =>
    policy.using !== null && isAlways(around.judge(policy, policy.using))
  return (
    policies.some((policy) => policy.isPermissive && isOpen(policy)) &&
    policies.every((policy) => policy.isPermissive || isOpen(policy))
  )
}

/** The others stay readable as they were. */
function withoutSecrets(
  catalog: Catalog,
  relation: Relation,
  grantee: number,
  secret: readonly Column[],
): string {
  const role = roleIn(catalog, grantee)
  const own = relation.acl.some((item) => item.grantee === grantee && item.privilege === 'select')
  const left = relation.columns.filter(
    (column) =>
      !secret.includes(column) &&
      (own || column.acl.some((item) => item.grantee === grantee && item.privilege === 'select')),
  )
  const grant = `\ngrant select (${left.map(({ sql }) => sql).join(', ')}) on ${relation.sql} to ${role};`
  return (
    '-- better: move them into a table of their own, one to one, with policies of its own\n' +
    `revoke select on ${relation.sql} from ${role};${left.length === 0 || grantee === 0 ? '' : grant}`
  )
}
