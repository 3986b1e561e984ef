import { childrenOf, nodesIn, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import { conditionsOf, relationsOf, type Scope, within } from '../expressions/scope.ts'
import { isNever } from '../expressions/truth.ts'
import { ANY, argumentsOf, EXISTS, type Place, queryOf } from '../expressions/unwrap.ts'
import { judgeCondition } from './judge-condition.ts'
import type { Facts } from './value.ts'

/** How it is known whether the rows of a table that a sub-select asks are shown to everybody. */
export interface Asking extends Facts {
  /** That the policies of a table ask who it is before they show a row of it to those who are asked about. */
  isAskedFor(relation: number): boolean
  /** What has been found out about nodes, each of which stands in one place. */
  known: WeakMap<TreeNode, boolean>
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
  if (!isNegated && isNever(judgeCondition(node, scope, asking))) return []
  return asksSomebody(node, scope, asking) ? [] : [{ node, scope }]
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
function queryAsks(query: TreeNode, scope: Scope, asking: Asking, isCondition: boolean): boolean {
  if (relationsOf(query).some((relation) => asking.isAskedFor(relation))) return true
  const conditions = conditionsOf(query)
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
