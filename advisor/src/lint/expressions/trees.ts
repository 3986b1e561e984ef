import {
  childrenOf,
  nodesIn,
  numberOf,
  type TreeNode,
  wordOf,
} from '../../catalog/parse-node-tree.ts'

/** A node and all below it. */
export function* nodesBelow(node: TreeNode): Generator<TreeNode> {
  yield node
  for (const child of childrenOf(node)) yield* nodesBelow(child)
}

/** The relations that a query names, as a table or a view in `from`, or as what it writes to. */
export function relationsNamedIn(tree: TreeNode): Set<number> {
  const found = new Set<number>()
  for (const node of nodesBelow(tree)) {
    // RTE_RELATION; an entry's type is called otherwise before 16.
    const relation = wordOf(node, 'rtekind') === '0' ? numberOf(node, 'relid') : 0
    if (relation > 0) found.add(relation)
  }
  return found
}

/** CmdType. */
const commands = new Map([
  ['1', 'select'],
  ['2', 'update'],
  ['3', 'insert'],
  ['4', 'delete'],
  ['5', 'merge'],
])

/** What the queries of a tree do, the outermost ones; '' for what is no query. */
export const commandOf = (query: TreeNode): string =>
  commands.get(wordOf(query, 'commandType')) ?? ''

/** Whether a query leaves rows out, and passes on the others one by one: what is asked of it can be asked of all of them. */
export function isFilter(query: TreeNode): boolean {
  const gathers = [
    'groupClause',
    'distinctClause',
    'limitCount',
    'limitOffset',
    'setOperations',
    'havingQual',
  ]
  if (gathers.some((field) => nodesIn(query, field).length > 0)) return false
  if (wordOf(query, 'hasAggs') === 'true' || wordOf(query, 'hasWindowFuncs') === 'true')
    return false
  return nodesIn(query, 'jointree').some((from) => nodesIn(from, 'quals').length > 0)
}
