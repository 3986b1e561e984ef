import type { Relation } from '../../catalog/catalog.ts'
import type { TreeNode } from '../../catalog/parse-node-tree.ts'
import { nodesBelow } from '../expressions/trees.ts'

/** What a view stands for, or null where that is not known. */
export function viewQuery({ rules }: Relation): TreeNode | null {
  const rule = rules.find(({ event }) => event === 'select')
  if (rule === undefined) return null
  for (const node of nodesBelow(rule.action.tree)) if (node.type === 'QUERY') return node
  return null
}
