import {
  childrenOf,
  nodesIn,
  numberOf,
  type TreeNode,
  wordOf,
} from '../../catalog/parse-node-tree.ts'
import { conjunctsOf, withoutRelabels } from './key-of-tree.ts'

/** `operand operator value`, where only the operand is of the row that is looked for. */
export interface Lookup {
  operand: TreeNode
  /** attnum, 0 for an expression. */
  column: number
  operator: number
  collation: number
  /** That all who ask look for the same, which may be most of the rows: no index is missing for it. */
  isForAll: boolean
}

/** That rows of a table are looked for: an index for one of these is enough. */
export interface Search {
  relation: number
  /** A lookup; or several searches, `or` between them, that need an index each. */
  oneOf: (Lookup | Search[])[]
  /** All that has to hold of the row. */
  conditions: TreeNode[]
}

export interface Searches {
  /** Of the table that has the policy; null where it is read as a whole. */
  own: Search | null
  /** Of the tables in its sub-selects. */
  inside: Search[]
}

type Commute = (operator: number) => number | undefined

/** How a policy's expression looks for rows. */
export function findSearches(tree: TreeNode, relation: number, commute: Commute): Searches {
  const conditions = conjunctsOf(tree)
  return {
    own: searchOf({ relation, number: 1 }, conditions, [], commute),
    inside: searchesInside(tree, commute),
  }
}

/** An entry in the list of a query's tables. */
interface Entry {
  relation: number
  number: number
}

function searchOf(
  entry: Entry,
  conditions: TreeNode[],
  around: TreeNode[],
  commute: Commute,
): Search | null {
  const all = [...around, ...conditions.filter((condition) => mentions(condition, entry.number, 0))]
  const oneOf = conditions.flatMap((condition): Search['oneOf'] => {
    if (condition.type !== 'BOOLEXPR') return lookupsIn(condition, entry, commute)
    if (wordOf(condition, 'boolop') !== 'or') return []
    const arms = nodesIn(condition, 'args').map((arm) =>
      searchOf(entry, conjunctsOf(arm), all, commute),
    )
    // One of them without a lookup has the whole table read, whatever the others say.
    return arms.every((arm) => arm !== null) ? [arms] : []
  })
  return oneOf.length === 0 ? null : { relation: entry.relation, oneOf, conditions: all }
}

function searchesInside(node: TreeNode, commute: Commute): Search[] {
  return childrenOf(node).flatMap((child) =>
    child.type === 'QUERY'
      ? [...searchesOfQuery(child, commute), ...searchesInside(child, commute)]
      : searchesInside(child, commute),
  )
}

/** What joins tables is looked up by too. */
function searchesOfQuery(query: TreeNode, commute: Commute): Search[] {
  const [joinTree] = nodesIn(query, 'jointree')
  if (joinTree === undefined) return []
  const conditions = conditionsOf(joinTree).flatMap(conjunctsOf)
  return nodesIn(query, 'rtable').flatMap((table, place) => {
    const entry = { relation: numberOf(table, 'relid'), number: place + 1 }
    const search = entry.relation === 0 ? null : searchOf(entry, conditions, [], commute)
    return search ?? []
  })
}

function conditionsOf(join: TreeNode): TreeNode[] {
  const deeper = ['fromlist', 'larg', 'rarg'].flatMap((field) =>
    nodesIn(join, field).flatMap(conditionsOf),
  )
  return [...nodesIn(join, 'quals'), ...deeper]
}

/** `operand = something` and `operand = any (…)`, where what it is compared with is not in the same row. */
function lookupsIn(node: TreeNode, entry: Entry, commute: Commute): Lookup[] {
  const isAny = node.type === 'SCALARARRAYOPEXPR' && wordOf(node, 'useOr') === 'true'
  if (node.type !== 'OPEXPR' && !isAny) return []
  const [left, right] = nodesIn(node, 'args').map(withoutRelabels)
  if (left === undefined || right === undefined) return []
  const operator = numberOf(node, 'opno')
  const collation = numberOf(node, 'inputcollid')
  const side = (operand: TreeNode, other: TreeNode, asked: number | undefined): Lookup[] =>
    asked === undefined || !isOfRow(operand, entry.number) || mentions(other, entry.number, 0)
      ? []
      : [
          {
            operand,
            column: numberOf(operand, 'varattno'),
            operator: asked,
            collation,
            isForAll: isConstant(other),
          },
        ]
  return [...side(left, right, operator), ...(isAny ? [] : side(right, left, commute(operator)))]
}

const ofConstants = new Set(['RELABELTYPE', 'COERCEVIAIO', 'ARRAYEXPR', 'FUNCEXPR'])
const EXPLICIT_CALL = '0'

/** A literal, or a list of some, however it was cast. */
const isConstant = (node: TreeNode): boolean =>
  node.type === 'CONST' ||
  (ofConstants.has(node.type) &&
    wordOf(node, 'funcformat') !== EXPLICIT_CALL &&
    childrenOf(node).every(isConstant))

/** The oid of boolean: half of a table is not looked up in an index. */
const BOOLEAN = 16

/** Whether it is made of columns of one row and nothing else that could change. */
function isOfRow(node: TreeNode, table: number): boolean {
  if (node.type === 'VAR')
    return (
      isColumnOf(node, table, 0) &&
      numberOf(node, 'varattno') > 0 &&
      numberOf(node, 'vartype') !== BOOLEAN
    )
  return mentions(node, table, 0) && isWithoutOthers(node, table)
}

function isWithoutOthers(node: TreeNode, table: number): boolean {
  if (node.type === 'VAR') return isColumnOf(node, table, 0) && numberOf(node, 'varattno') > 0
  if (['QUERY', 'PARAM', 'SUBLINK', 'COLLATEEXPR'].includes(node.type)) return false
  return childrenOf(node).every((child) => isWithoutOthers(child, table))
}

const isColumnOf = (node: TreeNode, table: number, depth: number): boolean =>
  numberOf(node, 'varno') === table && numberOf(node, 'varlevelsup') === depth

function mentions(node: TreeNode, table: number, depth: number): boolean {
  if (node.type === 'VAR') return isColumnOf(node, table, depth)
  return childrenOf(node).some((child) =>
    mentions(child, table, child.type === 'QUERY' ? depth + 1 : depth),
  )
}
