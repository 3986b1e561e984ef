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
const CTE = '6'
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
  const place = queryOfEntry(entry, around)
  const target = place === null ? undefined : targetsOf(place.query)[column - 1]
  if (place === null || target === undefined) return null
  const found = resolveColumn(target, within(place.around, place.query))
  // What a lateral query passes on is the column that it has it from.
  return found === null || found.isOfRow || wordOf(target, 'varlevelsup') !== '0'
    ? found
    : { ...found, key: `${depth}.${number}.${column}` }
}

/** The query that stands in `from`, or in `with` under the name that stands there. */
function queryOfEntry(entry: TreeNode, around: Scope): { query: TreeNode; around: Scope } | null {
  if (wordOf(entry, 'rtekind') === SUB_QUERY) {
    const [query] = nodesIn(entry, 'subquery')
    return query === undefined ? null : { query, around }
  }
  // One that calls itself has no columns of its own.
  if (wordOf(entry, 'rtekind') !== CTE || wordOf(entry, 'self_reference') === 'true') return null
  const queries = around.queries.slice(Number(wordOf(entry, 'ctelevelsup')))
  const named = queries
    .slice(0, 1)
    .flatMap((query) => nodesIn(query, 'cteList'))
    .find((cte) => wordOf(cte, 'ctename') === wordOf(entry, 'ctename'))
  const [query] = named === undefined ? [] : nodesIn(named, 'ctequery')
  return query === undefined ? null : { query, around: { ...around, queries } }
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

/** JoinType: the sides of which every row is kept, whatever the condition of the join says. */
const keptSides = new Map([
  ['1', ['larg']],
  ['2', []],
  ['3', ['rarg']],
])

/** Those that a row has to meet: of an outer join, none that only says what is put beside it. */
export const restrictionsOf = (query: TreeNode): TreeNode[] =>
  nodesIn(query, 'jointree').flatMap(restrictionsOfJoin)

function restrictionsOfJoin(join: TreeNode): TreeNode[] {
  const kept = join.type === 'JOINEXPR' ? keptSides.get(wordOf(join, 'jointype')) : undefined
  const deeper = (kept ?? ['fromlist', 'larg', 'rarg']).flatMap((field) =>
    nodesIn(join, field).flatMap(restrictionsOfJoin),
  )
  return kept === undefined ? [...nodesIn(join, 'quals'), ...deeper] : deeper
}

/** The entries of a query's range table, by number, that are not put beside others by an outer join. */
export function entriesKept(query: TreeNode): number[] {
  const walk = (join: TreeNode): number[] => {
    if (join.type === 'RANGETBLREF') return [Number(wordOf(join, 'rtindex'))]
    const kept = join.type === 'JOINEXPR' ? keptSides.get(wordOf(join, 'jointype')) : undefined
    return (kept ?? ['fromlist', 'larg', 'rarg']).flatMap((field) =>
      nodesIn(join, field).flatMap(walk),
    )
  }
  return nodesIn(query, 'jointree').flatMap(walk)
}

export const relationsKept = (query: TreeNode): number[] =>
  entriesKept(query).flatMap((number) => {
    const entry = rangeTableOf(query)[number - 1]
    return entry !== undefined && wordOf(entry, 'rtekind') === TABLE
      ? [Number(wordOf(entry, 'relid'))]
      : []
  })

/** What `union` puts together, or the query alone; null where rows are taken away too. */
export function armsOf(query: TreeNode, around: Scope): { query: TreeNode; around: Scope }[] {
  const operations = nodesIn(query, 'setOperations')
  if (operations.length === 0) return [{ query, around }]
  const isUnion = (node: TreeNode): boolean =>
    node.type === 'RANGETBLREF' ||
    (wordOf(node, 'op') === '1' &&
      ['larg', 'rarg'].every((field) => nodesIn(node, field).every(isUnion)))
  if (!operations.every(isUnion)) return []
  const inside = within(around, query)
  return rangeTableOf(query).flatMap((entry) =>
    nodesIn(entry, 'subquery').flatMap((arm) => armsOf(arm, inside)),
  )
}

/** The tables and views that a query asks itself, not those of its sub-queries. */
export const relationsOf = (query: TreeNode): number[] =>
  rangeTableOf(query).flatMap((entry) =>
    wordOf(entry, 'rtekind') === TABLE ? [Number(wordOf(entry, 'relid'))] : [],
  )
