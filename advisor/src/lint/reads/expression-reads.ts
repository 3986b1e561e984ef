import {
  childrenOf,
  columnsOf,
  numberOf,
  type TreeNode,
  wordOf,
} from '../../catalog/parse-node-tree.ts'

/** What an expression or a query asks of other tables, and whom it calls. */
export interface Reads {
  /** Tables and views, by oid, with the columns that are asked for; 0 for the whole row, none where only the number of rows counts. */
  relations: ReadonlyMap<number, ReadonlySet<number>>
  /** Functions, by oid, behind operators and aggregates too. */
  functions: ReadonlySet<number>
  /** That a query stands in it. */
  hasQuery: boolean
}

const known = new WeakMap<TreeNode, Reads>()

export function readsIn(tree: TreeNode): Reads {
  const found = known.get(tree)
  if (found !== undefined) return found
  const relations = new Map<number, Set<number>>()
  const functions = new Set<number>()
  let hasQuery = false
  const visit = (node: TreeNode): void => {
    if (node.type === 'QUERY') hasQuery = true
    for (const field of functionFields) {
      const oid = numberOf(node, field)
      if (oid > 0) functions.add(oid)
    }
    const relation = readRelation(node)
    if (relation > 0) {
      const columns = relations.get(relation) ?? new Set()
      for (const column of columnsOf(node, 'selectedCols')) columns.add(column)
      relations.set(relation, columns)
    }
    childrenOf(node).forEach(visit)
  }
  visit(tree)
  const reads = { relations, functions, hasQuery }
  known.set(tree, reads)
  return reads
}

const functionFields = ['funcid', 'opfuncid', 'aggfnoid', 'winfnoid']

/** An entry of a query's tables; from 16 on, what may be asked of it stands in an entry of its own. */
function readRelation(node: TreeNode): number {
  if (node.type === 'RTEPERMISSIONINFO' || wordOf(node, 'rtekind') === '0')
    return numberOf(node, 'relid')
  return 0
}
