import type { Catalog, Command, Policy, Relation } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { commentedOut } from '../mends/commented-out.ts'
import { readersByTree } from '../reads/asked-by-tree.ts'
import { readsIn } from '../reads/expression-reads.ts'
import { isGivenByDefault } from '../rights/given-by-default.ts'
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
import { isSqlOfAnApi } from '../rights/sql-of-an-api.ts'
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
  find: (catalog, names) =>
    governed(catalog).flatMap((relation) =>
      byGrantee(grantsOn(relation)).flatMap((grants): Fault[] => {
        const grantee = grants[0]?.grantee ?? 0
        const granted = rowCommands.filter((command) =>
          grants.some(({ privilege }) => privilege === command),
        )
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
            ...(isUnmeant(catalog, names, { relation, grantee, granted, idle })
              ? { weight: 'style' }
              : {}),
            mend: idle.includes('select')
              ? revokeBelow(catalog, relation, grantee, commands)
              : revokeIdle(catalog, relation, grantee, commands),
          },
        ]
      }),
    ),
}

/**
 * Who was granted all there is was granted it without a thought of each command: then policies say what is meant. Where they
 * say nothing of the role at all, it is shut out; and that is meant only where a platform grants everything to everybody.
 */
function isUnmeant(
  catalog: Catalog,
  names: Names,
  { relation, grantee, granted, idle }: Idle,
): boolean {
  if (granted.length < rowCommands.length) return false
  if (idle.length < granted.length) return true
  return (
    rowCommands.every((one) => isGivenByDefault(catalog, grantee, relation, one)) ||
    (isSqlOfAnApi(names) && isOpenToOthers(catalog, relation, grantee))
  )
}

interface Idle {
  relation: Relation
  grantee: number
  granted: readonly RowCommand[]
  idle: readonly RowCommand[]
}

const isOpenToOthers = (catalog: Catalog, relation: Relation, grantee: number): boolean =>
  relation.policies.some(
    ({ isPermissive, roles }) =>
      isPermissive && roles.some((role) => role !== grantee && catalog.requestRoles.has(role)),
  )

const revokeIdle = (
  catalog: Catalog,
  { sql }: Relation,
  grantee: number,
  commands: string,
): string =>
  `-- or write the policy that was meant\nrevoke ${commands} on ${sql} from ${roleIn(catalog, grantee)};`

/** A view that reads it as whoever asks would be refused from then on, also where it shows them what is in another table. */
function revokeBelow(
  catalog: Catalog,
  relation: Relation,
  grantee: number,
  commands: string,
): string {
  const revoke = revokeIdle(catalog, relation, grantee, commands)
  const above = (viewsAbove(catalog).get(relation.oid) ?? []).filter(({ acl }) =>
    acl.some((item) => item.grantee === grantee && item.privilege === 'select'),
  )
  if (above.length === 0) return revoke
  const views = above.map(({ sql }) => sql).join(', ')
  return `-- they read it by ${views} too, and would be refused there\n${commentedOut(revoke)}`
}

const known = new WeakMap<Catalog, Map<number, Relation[]>>()

/** The views that are security_invoker, by what they read. */
function viewsAbove(catalog: Catalog): Map<number, Relation[]> {
  const before = known.get(catalog)
  if (before !== undefined) return before
  const found = new Map<number, Relation[]>()
  for (const view of askedRelations(catalog))
    for (const { action, event } of view.options.securityInvoker ? view.rules : [])
      for (const oid of event === 'select' ? readsIn(action.tree).relations.keys() : [])
        if (oid !== view.oid) found.set(oid, [...(found.get(oid) ?? []), view])
  known.set(catalog, found)
  return found
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
