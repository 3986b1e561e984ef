import { type TreeNode, type TreeValue, valuesOf, wordOf } from '../../catalog/parse-node-tree.ts'

/** Which table of the query, how it was written, and what later versions say beside it. */
const ofNoMeaning = new Set([
  ...['varno', 'varnosyn', 'varattnosyn', 'varnullingrels', 'varlevelsup', 'varreturningtype'],
  ...['funcformat', 'relabelformat', 'coerceformat', 'opfuncid'],
])

/** The same for expressions over the columns of one table that mean the same, wherever they stand. */
export function keyOfTree(node: TreeNode): string {
  const bare = withoutRelabels(node)
  const parts = Object.entries(bare.fields).flatMap(([name, value]) =>
    ofNoMeaning.has(name) ? [] : [`${name}:${keyOfValue(value)}`],
  )
  return `${bare.type}(${parts.join(' ')})`
}

const keyOfValue = (value: TreeValue): string => {
  if (typeof value === 'string') return value
  return Array.isArray(value) ? `[${value.map(keyOfValue)}]` : keyOfTree(value as TreeNode)
}

/** A cast between types that are stored alike does nothing, and an index knows it. */
export function withoutRelabels(node: TreeNode): TreeNode {
  if (node.type !== 'RELABELTYPE') return node
  const [below] = valuesOf(node, 'arg')
  return below === undefined ? node : withoutRelabels(below as TreeNode)
}

/** The conditions that all have to hold. `x = true` is `x`. */
export function conjunctsOf(node: TreeNode): TreeNode[] {
  if (node.type === 'BOOLEXPR' && wordOf(node, 'boolop') === 'and')
    return (valuesOf(node, 'args') as TreeNode[]).flatMap(conjunctsOf)
  return [node]
}
