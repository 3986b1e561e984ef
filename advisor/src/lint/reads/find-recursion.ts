import type { Catalog, Command, Policy, Relation } from '../../catalog/catalog.ts'
import { isTrue } from '../rights/asked-columns.ts'
import { isPastPolicies, policiesFor } from '../rights/role-rights.ts'
import { readsIn } from './expression-reads.ts'
import { type ReadAs, tablesCalledAs, tablesReadAs } from './reading-as.ts'

type RowCommand = Exclude<Command, 'all'>

/** A way from the policies of a table back to them. */
export interface Recursion {
  /** The policy that closes it. */
  policy: Policy
  /** The tables on the way, the first again at the end. */
  path: Relation[]
  role: number
}

interface Step {
  relation: Relation
  /** The policy that asked for it; null where a statement did. */
  via: Policy | null
  role: number
  command: RowCommand
  isInFunction: boolean
}

/**
 * Follows a statement of a role as Postgres does (fireRIRrules in its rewriteHandler.c): a table whose policies have a
 * sub-select in them must not come up below itself. What a function asks is a statement of its own, which ends only where
 * it does not come to the same table as the same role again.
 * @param without policies that are left out of account, because they are to be changed anyway
 */
export function findRecursion(
  catalog: Catalog,
  start: Pick<Step, 'relation' | 'role' | 'command'>,
  without: ReadonlySet<Policy>,
): Recursion | null {
  const visited = new Set<string>()
  const visit = (step: Step, above: readonly Step[]): Recursion | null => {
    const policies = appliedTo(catalog, step).filter((policy) => !without.has(policy))
    if (closes(step, above, policies) && step.via !== null)
      return { policy: step.via, path: pathOf([...above, step]), role: start.role }
    const key = `${step.relation.oid} ${step.role} ${step.command}`
    if (visited.has(key)) return null
    visited.add(key)
    for (const policy of policies)
      for (const read of readBy(catalog, policy, step, policies)) {
        const next: Step = { ...read, via: policy, command: 'select' }
        const found = visit(next, [...above, step])
        if (found !== null) return found
      }
    return null
  }
  return visit({ ...start, via: null, isInFunction: false }, [])
}

function closes(step: Step, above: readonly Step[], policies: readonly Policy[]): boolean {
  const { relation, role, command } = step
  const isSame = (other: Step) =>
    other.relation === relation && other.role === role && other.command === command
  const asks = policies.some((policy) =>
    readsOf(policy).some(({ hasQuery, functions }) => hasQuery || functions.size > 0),
  )
  if (asks && above.some(isSame)) return true
  // Within one statement it is the table that counts, whoever reads it.
  const isOfStatement = [...above, step].findLastIndex(({ isInFunction }) => isInFunction)
  const inStatement = above.slice(Math.max(isOfStatement, 0))
  return (
    !step.isInFunction &&
    policies.some(hasSubSelect) &&
    inStatement.some((other) => other.relation === relation)
  )
}

const pathOf = (steps: readonly Step[]): Relation[] => {
  const last = steps.at(-1)?.relation
  const from = steps.findIndex(({ relation }) => relation === last)
  return steps.slice(from).map(({ relation }) => relation)
}

/** Restrictive policies count only beside one that gives. */
function appliedTo(catalog: Catalog, { relation, role, command }: Step): Policy[] {
  if (isPastPolicies(catalog, role, relation)) return []
  const own = policiesFor(catalog, role, relation, command)
  const applied = own.some(({ isPermissive }) => isPermissive) ? own : []
  if (command === 'select' || command === 'insert') return applied
  // To find the rows to be changed they have to be seen.
  return [
    ...new Set([...applied, ...appliedTo(catalog, { relation, role, command: 'select' } as Step)]),
  ]
}

const readsOf = ({ using, check }: Policy) =>
  [using, check].flatMap((expression) => (expression === null ? [] : [readsIn(expression.tree)]))

export const hasSubSelect = (policy: Policy): boolean =>
  readsOf(policy).some(({ hasQuery }) => hasQuery)

function readBy(
  catalog: Catalog,
  policy: Policy,
  { role, command }: Step,
  applied: readonly Policy[],
): ReadAs[] {
  const expressions = [
    ...(command === 'insert' && policy.check !== null ? [] : [policy.using]),
    ...(command === 'select' || command === 'delete' ? [] : [policy.check]),
  ].flatMap((expression) => (expression === null ? [] : [expression]))
  // `true or f()` is true before anything is called; a sub-select has been looked at by then.
  const isIdle = policy.isPermissive && applied.some((one) => one.isPermissive && isTrue(one.using))
  return expressions.flatMap(({ tree }) => {
    const { relations, functions } = readsIn(tree)
    return [
      ...[...relations.keys()].flatMap((oid) =>
        tablesReadAs(catalog, catalog.relations.get(oid), role, false),
      ),
      ...(isIdle ? [] : [...functions].flatMap((oid) => tablesCalledAs(catalog, oid, role))),
    ]
  })
}
