import type { Relation } from '../../catalog/catalog.ts'
import { nodesIn, numberOf, type TreeNode } from '../../catalog/parse-node-tree.ts'
import { has, type Range, rangesOf, targetsOf } from './query-node.ts'
import { queriesIn } from './requirements.ts'

export interface Updatable {
  base: Range
  /** The column of the base that a column of the view is, by attnum; what is missing cannot be written. */
  columns: ReadonlyMap<number, number>
  conditions: TreeNode[]
}

export const queryOf = (view: Relation): TreeNode | undefined => {
  const rule = view.rules.find(({ event }) => event === 'select')
  return rule === undefined ? undefined : queriesIn(rule.action.tree)[0]
}

/** What a write to a view goes to, as view_query_is_auto_updatable() decides; null where none can. */
export function findUpdatable(view: Relation): Updatable | null {
  const query = queryOf(view)
  if (query === undefined || has(query, ...hindrances)) return null
  const [tree] = nodesIn(query, 'jointree')
  const [from, ...others] = tree === undefined ? [] : nodesIn(tree, 'fromlist')
  if (tree === undefined || from?.type !== 'RANGETBLREF' || others.length > 0) return null
  const place = numberOf(from, 'rtindex')
  const base = rangesOf(query)[place - 1]
  if (base?.kind !== 'relation' || has(base.node, 'tablesample')) return null
  const columns = new Map<number, number>()
  for (const { expression, number, isHelping } of targetsOf(query)) {
    const column = numberOf(expression, 'varattno')
    const isOfBase =
      expression.type === 'VAR' &&
      numberOf(expression, 'varno') === place &&
      numberOf(expression, 'varlevelsup') === 0
    if (!isHelping && isOfBase && column > 0) columns.set(number, column)
  }
  return { base, columns, conditions: nodesIn(tree, 'quals') }
}

const hindrances = [
  'distinctClause',
  'groupClause',
  'groupingSets',
  'havingQual',
  'setOperations',
  'cteList',
  'limitOffset',
  'limitCount',
  'hasAggs',
  'hasWindowFuncs',
  'hasTargetSRFs',
]
