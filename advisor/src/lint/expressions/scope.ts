import { nodesIn, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'

/** Where in an expression one stands: the queries around, the innermost first, and what the expression is about. */
export interface Scope {
  queries: readonly TreeNode[]
  /** The table of the policy; 0 where there is none, as in the body of a function. */
  relation: number
}

export interface ResolvedColumn {
  relation: number
  column: number
  /** That it is of the very row that the policy is asked about. */
  isOfRow: boolean
  /** Tells it from the same column of the same table where that is asked twice. */
  key: string
}

export const scopeOf = (relation: number): Scope => ({ queries: [], relation })

export const within = (scope: Scope, query: TreeNode): Scope => ({
  ...scope,
  queries: [query, ...scope.queries],
})

/** What a VAR stands for, through sub-queries in `from` and groups, or null where that is no column of a table. */
export function resolveColumn(variable: TreeNode, scope: Scope): ResolvedColumn | null {
  if (variable.type !== 'VAR') return null
  const level = Number(wordOf(variable, 'varlevelsup'))
  const number = Number(wordOf(variable, 'varno'))
  const column = Number(wordOf(variable, 'varattno'))
  const query = scope.queries[level]
  if (query === undefined) {
    if (level !== scope.queries.length || scope.relation === 0 || column < 1) return null
    return { relation: scope.relation, column, isOfRow: true, key: `row.${column}` }
  }
  const entry = rangeTableOf(query)[number - 1]
  const around = { ...scope, queries: scope.queries.slice(level) }
  if (entry === undefined || column < 1) return null
  return resolveInEntry(entry, column, around, number)
}

/** The kinds of entries in a range table that are seen through: RTEKind. */
const TABLE = '0'
const SUB_QUERY = '1'
const GROUP = '9'

function resolveInEntry(
  entry: TreeNode,
  column: number,
  around: Scope,
  number: number,
): ResolvedColumn | null {
  const depth = around.queries.length
  if (wordOf(entry, 'rtekind') === TABLE)
    return {
      relation: Number(wordOf(entry, 'relid')),
      column,
      isOfRow: false,
      key: `${depth}.${number}.${column}`,
    }
  if (wordOf(entry, 'rtekind') === GROUP) {
    const grouped = nodesIn(entry, 'groupexprs')[column - 1]
    return grouped === undefined ? null : resolveColumn(grouped, around)
  }
  if (wordOf(entry, 'rtekind') !== SUB_QUERY) return null
  const [query] = nodesIn(entry, 'subquery')
  const target = query === undefined ? undefined : targetsOf(query)[column - 1]
  if (query === undefined || target === undefined) return null
  const found = resolveColumn(target, within(around, query))
  return found === null || found.isOfRow ? found : { ...found, key: `${depth}.${number}.${column}` }
}

export const rangeTableOf = (query: TreeNode): TreeNode[] => nodesIn(query, 'rtable')

/** What a query answers with, without what is only there to sort or group by. */
export const targetsOf = (query: TreeNode): TreeNode[] =>
  nodesIn(query, 'targetList').flatMap((entry) =>
    wordOf(entry, 'resjunk') === 'true' ? [] : nodesIn(entry, 'expr'),
  )

/** The conditions of a query, those of its joins too. */
export function conditionsOf(query: TreeNode): TreeNode[] {
  return nodesIn(query, 'jointree').flatMap(conditionsOfJoin)
}

function conditionsOfJoin(join: TreeNode): TreeNode[] {
  const deeper = ['fromlist', 'larg', 'rarg'].flatMap((field) =>
    nodesIn(join, field).flatMap(conditionsOfJoin),
  )
  return [...nodesIn(join, 'quals'), ...deeper]
}

/** The tables and views that a query asks itself, not those of its sub-queries. */
export const relationsOf = (query: TreeNode): number[] =>
  rangeTableOf(query).flatMap((entry) =>
    wordOf(entry, 'rtekind') === TABLE ? [Number(wordOf(entry, 'relid'))] : [],
  )
