import {
  columnsOf,
  nodesIn,
  nodesOf,
  numberOf,
  type TreeNode,
  valuesOf,
  wordOf,
} from '../../catalog/parse-node-tree.ts'

/** RTEKind of Postgres' parsenodes.h. */
const kinds = [
  'relation',
  'subquery',
  'join',
  'function',
  'table function',
  'values',
  'with',
  'named tuples',
  'result',
  'group',
] as const

/** What a query reads from or writes to: an entry of its range table. */
export interface Range {
  kind: (typeof kinds)[number]
  node: TreeNode
  relation: number
  permissions: Permissions
}

/** What Postgres asks of whoever runs it. */
export interface Permissions {
  needs: ('select' | 'insert' | 'update' | 'delete')[]
  /** attnums; 0 stands for the whole row. */
  selected: number[]
  inserted: number[]
  updated: number[]
}

const bits = { insert: 1, select: 2, update: 4, delete: 8 } as const

/** The range table; what Postgres 15 writes in an entry itself, later ones have in a list beside it. */
export function rangesOf(query: TreeNode): Range[] {
  const permissions = nodesIn(query, 'rteperminfos')
  return nodesIn(query, 'rtable').map((node) => {
    const place = numberOf(node, 'perminfoindex')
    return {
      kind: kinds[numberOf(node, 'rtekind')] ?? 'result',
      node,
      relation: numberOf(node, 'relid'),
      permissions: permissionsOf(place > 0 ? (permissions[place - 1] ?? node) : node),
    }
  })
}

function permissionsOf(node: TreeNode): Permissions {
  const required = numberOf(node, 'requiredPerms')
  return {
    needs: (['select', 'insert', 'update', 'delete'] as const).filter(
      (privilege) => (required & bits[privilege]) !== 0,
    ),
    selected: columnsOf(node, 'selectedCols'),
    inserted: columnsOf(node, 'insertedCols'),
    updated: columnsOf(node, 'updatedCols'),
  }
}

const commands = [
  null,
  'select',
  'update',
  'insert',
  'delete',
  'merge',
  'utility',
  'nothing',
] as const
export const commandOf = (query: TreeNode): (typeof commands)[number] =>
  commands[numberOf(query, 'commandType')] ?? null

export interface Target {
  expression: TreeNode
  number: number
  isSorted: boolean
  isHelping: boolean
}

export const targetsOf = (query: TreeNode): Target[] =>
  nodesIn(query, 'targetList').flatMap((node) =>
    nodesOf(valuesOf(node, 'expr')).map((expression) => ({
      expression,
      number: numberOf(node, 'resno'),
      isSorted: numberOf(node, 'ressortgroupref') > 0,
      isHelping: wordOf(node, 'resjunk') === 'true',
    })),
  )

export const has = (query: TreeNode, ...fields: string[]): boolean =>
  fields.some((field) => query.fields[field] !== undefined)

/** As is_simple_subquery() of the planner: whether a sub-select becomes a part of what reads it. */
export const isSimple = (query: TreeNode): boolean =>
  commandOf(query) === 'select' &&
  !has(
    query,
    'setOperations',
    'hasAggs',
    'hasWindowFuncs',
    'hasTargetSRFs',
    'groupClause',
    'groupingSets',
    'havingQual',
    'sortClause',
    'distinctClause',
    'limitOffset',
    'limitCount',
    'hasForUpdate',
    'cteList',
  )

/** As is_simple_union_all(). */
export const isPlainUnionAll = (query: TreeNode): boolean =>
  has(query, 'setOperations') &&
  !has(query, 'sortClause', 'limitOffset', 'limitCount', 'rowMarks', 'cteList') &&
  nodesIn(query, 'setOperations').every(isUnionAll)

const isUnionAll = (node: TreeNode): boolean =>
  node.type !== 'SETOPERATIONSTMT' ||
  // Of UNION, INTERSECT, EXCEPT. `op 0` is none.
  (wordOf(node, 'op') === '1' &&
    wordOf(node, 'all') === 'true' &&
    [...nodesIn(node, 'larg'), ...nodesIn(node, 'rarg')].every(isUnionAll))

/** As simplify_EXISTS_query(): whether `exists (…)` throws away what the sub-select would return. */
export const isBareExists = (query: TreeNode): boolean =>
  commandOf(query) === 'select' &&
  !has(
    query,
    'setOperations',
    'hasAggs',
    'groupingSets',
    'hasWindowFuncs',
    'hasTargetSRFs',
    'hasModifyingCTE',
    'havingQual',
    'limitOffset',
    'rowMarks',
  )
