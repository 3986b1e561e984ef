import type { Catalog, Expression, Policy, Relation } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { scopeOf, within } from '../expressions/scope.ts'
import { isAlways, type Truth } from '../expressions/truth.ts'
import type { Place } from '../expressions/unwrap.ts'
import { conditionsFor } from '../mends/policy-expressions.ts'
import { type Asking, openBranches, queryAsks } from './branches.ts'
import { type Identity, identityOf } from './identity.ts'
import { judgeCondition } from './judge-condition.ts'
import { pinnedColumns } from './pinned-columns.ts'
import { type Reach, reachOf } from './reach.ts'
import type { Facts } from './value.ts'
import { viewQuery } from './view-query.ts'

/** What all rules about who is asked go by; found once for a catalog. */
export interface Surroundings {
  catalog: Catalog
  identity: Identity
  reach: Reach
  /** The policies that are looked at: of tables that are asked about and whose row-level security is on. */
  policies: readonly Policy[]
  /** Of these, those that let requests in. */
  opening: readonly Policy[]
  /** The ways in which a policy's expression lets a row through and asks nobody. */
  openBranches(policy: Policy, expression: Expression): Place[]
  /** The same, where it is not enough that somebody has signed in. */
  branchesForAnybody(policy: Policy, expression: Expression): Place[]
  /** The columns of the row that an expression holds against who asks. */
  pinnedColumns(policy: Policy, expression: Expression): Set<number>
  asking: Asking
  /** What an expression comes to for a role, and for one who has not signed in. */
  judge(
    policy: Policy,
    expression: Expression,
    who?: Partial<Pick<Facts, 'role' | 'isNobody'>>,
  ): Truth
}

const remembered = new WeakMap<Catalog, { names: Names; surroundings: Surroundings }>()

export function surroundingsOf(catalog: Catalog, names: Names): Surroundings {
  const before = remembered.get(catalog)
  if (before?.names === names) return before.surroundings
  const surroundings = find(catalog, names)
  remembered.set(catalog, { names, surroundings })
  return surroundings
}

function find(catalog: Catalog, names: Names): Surroundings {
  const identity = identityOf(catalog, names)
  const reach = reachOf(catalog)
  const facts: Facts = { catalog, identity, role: null, isNobody: false }
  const asking: Asking = {
    ...facts,
    isAskedFor: askedTables(catalog, reach, () => asking),
    known: new WeakMap(),
  }
  const policies = [...catalog.relations.values()].flatMap((relation) =>
    relation.arePoliciesAsked && relation.rowSecurity ? relation.policies : [],
  )
  const branches = new Map<Expression, Place[]>()
  const pinned = new Map<Expression, Set<number>>()
  const judged = new Map<Expression, Truth>()
  return {
    catalog,
    identity,
    reach,
    policies,
    opening: policies.filter(
      (policy) => policy.isPermissive && reach.rolesOfPolicy(policy).size > 0,
    ),
    openBranches: ({ relation }, expression) => {
      const found =
        branches.get(expression) ?? openBranches(expression.tree, scopeOf(relation.oid), asking)
      branches.set(expression, found)
      return found
    },
    branchesForAnybody: ({ relation }, expression) =>
      openBranches(expression.tree, scopeOf(relation.oid), { ...asking, asksForName: true }),
    pinnedColumns: ({ relation }, expression) => {
      const found =
        pinned.get(expression) ?? pinnedColumns(expression.tree, scopeOf(relation.oid), asking)
      pinned.set(expression, found)
      return found
    },
    asking,
    judge: ({ relation }, expression, who) => {
      const before = who === undefined ? judged.get(expression) : undefined
      if (before !== undefined) return before
      const truth = judgeCondition(expression.tree, scopeOf(relation.oid), { ...facts, ...who })
      if (who === undefined) judged.set(expression, truth)
      return truth
    },
  }
}

/**
 * Whether a table shows its rows only to those whom its policies have asked: what a sub-select of a policy finds in it, it
 * finds as whoever asks. A view asks where its query does.
 */
function askedTables(catalog: Catalog, reach: Reach, asking: () => Asking): Asking['isAskedFor'] {
  const known = new Map<number, boolean>()
  const isAskedFor = (oid: number): boolean => {
    const before = known.get(oid)
    if (before !== undefined) return before
    // Policies that ask each other raise 42P17: nobody sees anything.
    known.set(oid, true)
    const answer = asksIn(catalog.relations.get(oid))
    known.set(oid, answer)
    return answer
  }
  const asksIn = (relation: Relation | undefined): boolean => {
    if (relation === undefined || relation.schema.isOfPostgres) return false
    if (relation.kind === 'm') return true
    if (relation.kind === 'v') {
      const query = viewQuery(relation)
      return query === null || queryAsks(query, within(scopeOf(0), query), asking(), true)
    }
    if (!relation.rowSecurity) return false
    const asks = ({ using }: Policy): boolean =>
      using === null || openBranches(using.tree, scopeOf(relation.oid), asking()).length === 0
    const reading = relation.policies.filter(
      (policy) =>
        (policy.command === 'all' || policy.command === 'select') &&
        reach.rolesOfPolicy(policy).size > 0,
    )
    return (
      reading.filter(({ isPermissive }) => isPermissive).every(asks) ||
      reading.some((policy) => !policy.isPermissive && policy.using !== null && asks(policy))
    )
  }
  return isAskedFor
}

/** Whether a policy's expression lets every row through, whoever of these roles asks. */
export function isOpenFor(
  { catalog, judge }: Surroundings,
  policy: Policy,
  expression: Expression,
  roles: Iterable<number>,
): boolean {
  if (isAlways(judge(policy, expression))) return true
  return [...roles].some((role) =>
    isAlways(judge(policy, expression, { role: catalog.roles.get(role)?.name ?? null })),
  )
}

/** Whether a restrictive policy asks these roles for all the others. */
export function isRestricted(
  { openBranches: open, reach }: Surroundings,
  { policies }: Relation,
  command: Parameters<typeof conditionsFor>[1],
  roles: ReadonlySet<number>,
): boolean {
  return policies.some((policy) => {
    const conditions = policy.isPermissive ? null : conditionsFor(policy, command)
    const expression = command === 'insert' ? conditions?.check : conditions?.using
    if (expression === null || expression === undefined) return false
    const held = reach.rolesOfPolicy(policy)
    return [...roles].every((role) => held.has(role)) && open(policy, expression).length === 0
  })
}
