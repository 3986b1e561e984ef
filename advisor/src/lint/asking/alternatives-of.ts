import { nodesIn, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'

/** The ways through a condition that `or` divides, each with what `and` joins in it. */
export function alternativesOf(node: TreeNode): TreeNode[][] {
  if (node.type !== 'BOOLEXPR' || wordOf(node, 'boolop') === 'not') return [[node]]
  const parts = nodesIn(node, 'args')
  return wordOf(node, 'boolop') === 'or'
    ? parts.flatMap(alternativesOf)
    : [parts.flatMap((part) => alternativesOf(part).flat())]
}
