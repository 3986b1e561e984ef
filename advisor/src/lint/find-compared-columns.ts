import { childrenOf, nodesIn, type TreeNode, wordOf } from '../catalog/parse-node-tree.ts'

/** Columns of one table that are compared together: an index that begins with one of them is enough. */
export interface ComparedColumns {
  /** The oid of the table. */
  relation: string
  /** attnum */
  columns: string[]
}

interface Scope {
  /** The tables of each query around, the innermost first, by their number in it. */
  relations: Map<string, string>[]
  isEquality: (operator: string) => boolean
}

/** What a policy's expression looks rows up by: `column = something`, also in its sub-selects. */
export function findComparedColumns(
  tree: TreeNode,
  relation: string,
  isEquality: Scope['isEquality'],
): ComparedColumns[] {
  return inCondition(tree, { relations: [new Map([['1', relation]])], isEquality })
}

/** The oid of boolean: half of a table is not looked up in an index. */
const BOOLEAN = '16'

function inCondition(node: TreeNode, scope: Scope): ComparedColumns[] {
  if (node.type === 'QUERY') return inQuery(node, scope)
  if (node.type === 'BOOLEXPR' && wordOf(node, 'boolop') === 'not') return inSubQueries(node, scope)
  if (node.type === 'BOOLEXPR') {
    const parts = nodesIn(node, 'args')
    const inEach = parts.flatMap((part) => inCondition(part, scope))
    return wordOf(node, 'boolop') === 'and' ? togetherByTable(inEach) : inEach
  }
  return [...comparedIn(node, scope), ...inSubQueries(node, scope)]
}

const togetherByTable = (all: ComparedColumns[]): ComparedColumns[] =>
  [...Map.groupBy(all, ({ relation }) => relation)].map(([relation, same]) => ({
    relation,
    columns: same.flatMap(({ columns }) => columns),
  }))

function inSubQueries(node: TreeNode, scope: Scope): ComparedColumns[] {
  return childrenOf(node).flatMap((child) =>
    child.type === 'QUERY' ? inQuery(child, scope) : inSubQueries(child, scope),
  )
}

/** The condition of a query, and of those in it. What joins tables is looked up by too. */
function inQuery(query: TreeNode, { relations, isEquality }: Scope): ComparedColumns[] {
  const tables = nodesIn(query, 'rtable')
  const numbered = new Map(
    tables.map((table, index) => [String(index + 1), wordOf(table, 'relid')]),
  )
  const scope = { relations: [numbered, ...relations], isEquality }
  const [joinTree] = nodesIn(query, 'jointree')
  const conditions = joinTree === undefined ? [] : conditionsOf(joinTree)
  return [
    ...togetherByTable(conditions.flatMap((condition) => inCondition(condition, scope))),
    ...tables.flatMap((table) => inSubQueries(table, scope)),
  ]
}

function conditionsOf(join: TreeNode): TreeNode[] {
  const deeper = ['fromlist', 'larg', 'rarg'].flatMap((field) =>
    nodesIn(join, field).flatMap(conditionsOf),
  )
  return [...nodesIn(join, 'quals'), ...deeper]
}

/** `column = something` and `column = any (…)`, where what it is compared with is not in the same row. */
function comparedIn(node: TreeNode, scope: Scope): ComparedColumns[] {
  const isAny = node.type === 'SCALARARRAYOPEXPR' && wordOf(node, 'useOr') === 'true'
  if (node.type !== 'OPEXPR' && !isAny) return []
  if (!scope.isEquality(wordOf(node, 'opno'))) return []
  const sides = nodesIn(node, 'args').map((side) =>
    side.type === 'RELABELTYPE' ? (childrenOf(side)[0] ?? side) : side,
  )
  return (isAny ? sides.slice(0, 1) : sides).flatMap((side, index) => {
    const other = sides[1 - index]
    if (side.type !== 'VAR' || wordOf(side, 'varlevelsup') !== '0') return []
    if (wordOf(side, 'vartype') === BOOLEAN) return []
    if (other === undefined || mentionsTable(other, wordOf(side, 'varno'), 0)) return []
    const relation = scope.relations[0]?.get(wordOf(side, 'varno')) ?? ''
    const column = wordOf(side, 'varattno')
    return relation === '' || Number(column) < 1 ? [] : [{ relation, columns: [column] }]
  })
}

function mentionsTable(node: TreeNode, varno: string, depth: number): boolean {
  if (node.type === 'VAR')
    return wordOf(node, 'varno') === varno && wordOf(node, 'varlevelsup') === String(depth)
  return childrenOf(node).some((child) =>
    mentionsTable(child, varno, child.type === 'QUERY' ? depth + 1 : depth),
  )
}
