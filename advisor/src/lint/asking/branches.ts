import { childrenOf, nodesIn, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import {
  armsOf,
  conditionsOf,
  relationsKept,
  relationsOf,
  restrictionsOf,
  type Scope,
  within,
} from '../expressions/scope.ts'
import { isNever } from '../expressions/truth.ts'
import {
  ANY,
  argumentsOf,
  EXISTS,
  type Place,
  plainQueryOf,
  queryOf,
  unwrap,
} from '../expressions/unwrap.ts'
import { isPresence } from './is-presence.ts'
import { judgeCondition } from './judge-condition.ts'
import type { Facts } from './value.ts'

/** How it is known whether the rows of a table that a sub-select asks are shown to everybody. */
export interface Asking extends Facts {
  /** That the policies of a table ask who it is before they show a row of it to those who are asked about. */
  isAskedFor(relation: number): boolean
  /** What has been found out about nodes, each of which stands in one place. */
  known: WeakMap<TreeNode, boolean>
  /** That it is not enough to ask whether somebody has signed in, whoever it is. */
  asksForName?: boolean
}

/** The ways, of those that `or` divides, in which a condition lets a row through and asks nobody. */
export function openBranches(
  node: TreeNode,
  scope: Scope,
  asking: Asking,
  isNegated = false,
): Place[] {
  if (node.type === 'BOOLEXPR') {
    const word = wordOf(node, 'boolop')
    const parts = argumentsOf(node)
    const [first] = parts
    if (word === 'not')
      return first === undefined ? [] : openBranches(first, scope, asking, !isNegated)
    const isAnd = (word === 'and') !== isNegated
    const open = parts.map((part) => openBranches(part, scope, asking, isNegated))
    if (!isAnd) return open.flat()
    return open.some((branches) => branches.length === 0) ? [] : open.flat()
  }
  if (node.type === 'CASEEXPR' && nodesIn(node, 'arg').length === 0)
    return openCases(node, scope, asking, isNegated)
  const plain = plainQueryOf(node)
  if (plain !== null) {
    const inner = unwrap(node, scope)
    if (inner.node !== node) return openBranches(inner.node, inner.scope, asking, isNegated)
  }
  if (asking.asksForName === true && isPresence(node, scope, asking, isNegated))
    return [{ node, scope }]
  if (!isNegated && isNever(judgeCondition(node, scope, asking))) return []
  return asksSomebody(node, scope, asking) ? [] : [{ node, scope }]
}

/** Each `when`, as `condition and result`, and what else there is. */
function openCases(node: TreeNode, scope: Scope, asking: Asking, isNegated: boolean): Place[] {
  const open = (part: TreeNode | undefined) =>
    part === undefined ? [] : openBranches(part, scope, asking, isNegated)
  const cases = argumentsOf(node).flatMap((branch) => {
    const [condition] = nodesIn(branch, 'expr')
    const met = condition === undefined ? [] : openBranches(condition, scope, asking)
    const result = open(nodesIn(branch, 'result')[0])
    return met.length === 0 || result.length === 0 ? [] : [...met, ...result]
  })
  return [...cases, ...open(nodesIn(node, 'defresult')[0])]
}

/** Whether what a node comes to depends on who asks. */
export function asksSomebody(node: TreeNode, scope: Scope, asking: Asking): boolean {
  const before = asking.known.get(node)
  if (before !== undefined) return before
  const asks = findOut(node, scope, asking)
  asking.known.set(node, asks)
  return asks
}

function findOut(node: TreeNode, scope: Scope, asking: Asking): boolean {
  if (asking.identity.sourcesOf(node).length > 0) return true
  if (node.type !== 'SUBLINK')
    return childrenOf(node).some((child) => asksSomebody(child, scope, asking))
  const query = queryOf(node)
  if (query === undefined) return false
  const type = wordOf(node, 'subLinkType')
  const tests = nodesIn(node, 'testexpr')
  if (tests.some((test) => asksSomebody(test, scope, asking))) return true
  return queryAsks(query, within(scope, query), asking, type === EXISTS || type === ANY)
}

/** @param isCondition that what counts is whether there is a row: then each way to one has to ask */
export function queryAsks(
  query: TreeNode,
  scope: Scope,
  asking: Asking,
  isCondition: boolean,
): boolean {
  if (nodesIn(query, 'setOperations').length > 0) {
    const arms = armsOf(query, { ...scope, queries: scope.queries.slice(1) })
    if (isCondition && arms.length > 0)
      return arms.every((arm) => queryAsks(arm.query, within(arm.around, arm.query), asking, true))
  }
  const kept = isCondition ? relationsKept(query) : relationsOf(query)
  if (kept.some((relation) => asking.isAskedFor(relation))) return true
  const conditions = isCondition ? restrictionsOf(query) : conditionsOf(query)
  if (conditions.some((condition) => openBranches(condition, scope, asking).length === 0))
    return true
  if (!isCondition && conditions.some((condition) => asksSomebody(condition, scope, asking)))
    return true
  const elsewhere = ['targetList', 'rtable', 'cteList', 'havingQual'].flatMap((field) =>
    nodesIn(query, field),
  )
  return elsewhere.some((part) => asksBelow(part, scope, asking))
}

/** In queries in `from` and `with` too. */
function asksBelow(node: TreeNode, scope: Scope, asking: Asking): boolean {
  if (node.type === 'QUERY') return queryAsks(node, within(scope, node), asking, true)
  if (node.type === 'SUBLINK') return asksSomebody(node, scope, asking)
  if (asking.identity.sourcesOf(node).length > 0) return true
  return childrenOf(node).some((child) => asksBelow(child, scope, asking))
}
