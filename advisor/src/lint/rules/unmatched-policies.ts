import type { Catalog, Command, Policy, Relation } from '../../catalog/catalog.ts'
import { readersByTree } from '../reads/asked-by-tree.ts'
import {
  askedRelations,
  byGrantee,
  grantInWords,
  grantsOn,
  roleIn,
} from '../rights/relation-grants.ts'
import {
  isPastPolicies,
  isServed,
  mayOnSome,
  policiesFor,
  servedBy,
} from '../rights/role-rights.ts'
import { rolesOfNobody } from '../rights/roles-of-nobody.ts'
import type { Fault, Rule } from '../rule.ts'

const rowCommands = ['select', 'insert', 'update', 'delete'] as const
type RowCommand = Exclude<Command, 'all'>

/** Tables with policies that hold, and one that gives something. Without, it is another fault. */
const governed = (catalog: Catalog): Relation[] =>
  askedRelations(catalog).filter(
    ({ rowSecurity, policies }) => rowSecurity && policies.some(({ isPermissive }) => isPermissive),
  )

export const grantWithoutPolicy: Rule = {
  name: 'grant-without-policy',
  weight: 'failure',
  why:
    'Row-level security lets nobody do what no policy speaks of: reading shows no row, an insert fails, an update ' +
    'or delete answers that it has changed none.',
  find: (catalog) =>
    governed(catalog).flatMap((relation) =>
      byGrantee(grantsOn(relation)).flatMap((grants): Fault[] => {
        const grantee = grants[0]?.grantee ?? 0
        const granted = rowCommands.filter((command) =>
          grants.some(({ privilege }) => privilege === command),
        )
        // Who was granted all there is was granted it without a thought of this table; then policies alone say what is meant.
        const isBlanket = granted.length === rowCommands.length
        // So they were granted a view that asks as them: it finds nothing, and without this would be refused.
        const isAsked = readersByTree(catalog).get(relation.oid)?.has(grantee) === true
        const idle = granted.filter(
          (command) =>
            !isGiven(catalog, grantee, relation, command) && !(command === 'select' && isAsked),
        )
        if (idle.length === 0) return []
        const commands = idle.join(', ')
        return [
          {
            object: grantInWords(catalog, relation, grantee),
            detail: `no policy lets them ${commands}`,
            ...(isBlanket ? { weight: 'style' } : {}),
            mend:
              `-- or write the policy that was meant\n` +
              `revoke ${commands} on ${relation.sql} from ${roleIn(catalog, grantee)};`,
          },
        ]
      }),
    ),
}

/** Whether a policy gives something to who was granted it, or to one who has it from there. */
const isGiven = (
  catalog: Catalog,
  grantee: number,
  relation: Relation,
  command: RowCommand,
): boolean =>
  isServed(
    catalog,
    grantee,
    relation,
    (role) =>
      isPastPolicies(catalog, role, relation) ||
      policiesFor(catalog, role, relation, command).some(({ isPermissive }) => isPermissive),
  ) ||
  // What PUBLIC is granted serves whomever a policy names.
  (grantee === 0 &&
    relation.policies.some(
      (policy) => policy.isPermissive && (policy.command === command || policy.command === 'all'),
    ))

/** A table that nobody is granted is used by functions alone. */
const granted = (catalog: Catalog): Relation[] =>
  governed(catalog).filter((relation) => grantsOn(relation).length > 0)

export const policyWithoutGrant: Rule = {
  name: 'policy-without-grant',
  weight: 'failure',
  why:
    'A policy chooses among the rows of who may use the table at all. None of those whom it is for was granted that: ' +
    'their statements are refused, and a grant that comes later opens what nobody looked at.',
  find: (catalog) =>
    granted(catalog).flatMap(({ policies }) =>
      policies
        .filter((policy) => !isUsed(catalog, policy))
        .map((policy) => ({
          object: policy.object,
          // Then no statement is refused today.
          ...(isOfNobody(catalog, policy) ? { weight: 'style' as const } : {}),
          detail: `nobody whom it is for may ${policy.command === 'all' ? 'do anything there' : policy.command}`,
          mend:
            `-- or grant what it was written for: grant ${policy.command} on ${policy.relation.sql} to …;\n` +
            `drop policy if exists ${policy.sql} on ${policy.relation.sql};`,
        })),
    ),
}

const isOfNobody = (catalog: Catalog, { roles }: Policy): boolean =>
  roles.every((role) => rolesOfNobody(catalog).has(role))

function isUsed(catalog: Catalog, { relation, command, roles }: Policy): boolean {
  const commands = command === 'all' ? rowCommands : [command]
  // Everybody: whoever was granted it, and the owner where policies hold for that one.
  const concerned = roles.includes(0)
    ? [...grantsOn(relation).map(({ grantee }) => grantee), ...boundOwner(catalog, relation)]
    : roles.flatMap((role) => servedBy(catalog, role, relation))
  return [...new Set(concerned)].some((role) =>
    commands.some((one) => mayOnSome(catalog, role, relation, one)),
  )
}

const boundOwner = (catalog: Catalog, relation: Relation): number[] =>
  isPastPolicies(catalog, relation.owner, relation) ? [] : [relation.owner]
