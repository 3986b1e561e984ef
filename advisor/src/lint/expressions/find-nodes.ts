import { childrenOf, type TreeNode } from '../../catalog/parse-node-tree.ts'
import { type Scope, within } from './scope.ts'
import type { Place } from './unwrap.ts'

/** Every node at and below one that is looked for, with where it stands. */
export function findNodes(
  node: TreeNode,
  scope: Scope,
  isSought: (node: TreeNode) => boolean,
): Place[] {
  const inside = node.type === 'QUERY' ? within(scope, node) : scope
  const below = childrenOf(node).flatMap((child) => findNodes(child, inside, isSought))
  return isSought(node) ? [{ node, scope }, ...below] : below
}
