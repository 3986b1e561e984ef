import { childrenOf, nodesIn, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import { resolveColumn, type Scope, within } from '../expressions/scope.ts'
import { ANY, argumentsOf, EXISTS, queryOf, unwrap } from '../expressions/unwrap.ts'
import { type Asking, asksSomebody } from './branches.ts'
import { operatorOf } from './value.ts'

/** The columns of the row that a condition holds against who asks, directly or through a sub-select that asks. */
export function pinnedColumns(node: TreeNode, scope: Scope, asking: Asking): Set<number> {
  return new Set(find(node, scope, asking))
}

function find(node: TreeNode, scope: Scope, asking: Asking): number[] {
  if (node.type === 'BOOLEXPR')
    return argumentsOf(node).flatMap((part) => find(part, scope, asking))
  if (node.type === 'OPEXPR' && operatorOf(node, asking.catalog) === '=')
    return inPair(argumentsOf(node), scope, asking)
  if (node.type === 'SCALARARRAYOPEXPR' && wordOf(node, 'useOr') === 'true')
    return inPair(argumentsOf(node), scope, asking)
  // A function that is given a column and asks who it is, decides by it.
  if (node.type === 'FUNCEXPR' && asking.identity.sourcesOf(node).length > 0)
    return columnsBelow(node, scope)
  if (node.type !== 'SUBLINK') return []
  const query = queryOf(node)
  if (query === undefined || !asksSomebody(node, scope, asking)) return []
  const type = wordOf(node, 'subLinkType')
  const tested = nodesIn(node, 'testexpr').flatMap((test) => columnsBelow(test, scope))
  return type === EXISTS || type === ANY
    ? [...tested, ...columnsBelow(query, within(scope, query))]
    : []
}

function inPair(sides: TreeNode[], scope: Scope, asking: Asking): number[] {
  return sides.flatMap((side, index) => {
    const other = sides[1 - index]
    const column = columnOf(side, scope)
    return column === null || other === undefined || !asksSomebody(other, scope, asking)
      ? []
      : [column]
  })
}

/** The column of the row that a node is, but for casts. */
export function columnOf(side: TreeNode, around: Scope): number | null {
  const { node, scope } = unwrap(side, around)
  const found = resolveColumn(node, scope)
  return found?.isOfRow === true ? found.column : null
}

/** Every column of the row that is mentioned below. */
export function columnsBelow(node: TreeNode, scope: Scope): number[] {
  const found = resolveColumn(node, scope)
  if (found?.isOfRow === true) return [found.column]
  return childrenOf(node).flatMap((child) =>
    columnsBelow(child, child.type === 'QUERY' ? within(scope, child) : scope),
  )
}
