import type { Catalog } from '../../catalog/catalog.ts'
import {
  childrenOf,
  nodesIn,
  type TreeNode,
  valuesOf,
  wordOf,
} from '../../catalog/parse-node-tree.ts'
import { calledBy } from './called-by.ts'

/** As pg_type has it. */
const BOOLEAN = '16'

/**
 * What the planner leaves of a condition before anything is called. `parts` are evaluated; `perhaps` are those that stand beside
 * what the planner can compute, whose value is not known here.
 */
export type Folded = { perhaps: TreeNode[] } & (
  | { constant: boolean }
  | { constant: null; parts: TreeNode[]; isComputable: boolean }
)
type Open = Extract<Folded, { constant: null }>

/** `true or f()` calls nothing, and `true and f()` calls f. */
export function fold(catalog: Catalog, node: TreeNode): Folded {
  const constant = constantOf(node)
  if (constant !== null) return { constant, perhaps: [] }
  if (node.type !== 'BOOLEXPR')
    return {
      constant: null,
      parts: [node],
      perhaps: [],
      isComputable: isComputable(catalog, node),
    }
  const operation = wordOf(node, 'boolop')
  const folded = nodesIn(node, 'args').map((argument) => fold(catalog, argument))
  if (operation === 'not') {
    const [argument] = folded
    if (argument !== undefined && argument.constant !== null)
      return { ...argument, constant: !argument.constant }
    return argument ?? { constant: null, parts: [], perhaps: [], isComputable: false }
  }
  return combine(folded, operation === 'or')
}

/** @param decisive what makes an end to the others: true among alternatives, false among conditions */
export function combine(folded: readonly Folded[], decisive: boolean): Folded {
  const open = folded.filter((one): one is Open => one.constant === null)
  const perhaps = folded.flatMap((one) => one.perhaps)
  const end = folded.findIndex(({ constant }) => constant === decisive)
  if (end >= 0) {
    // From left to right: what can be computed before it has been.
    const before = folded
      .slice(0, end)
      .flatMap((one) => (one.constant === null && one.isComputable ? one.parts : []))
    return { constant: decisive, perhaps: before }
  }
  if (open.length === 0) return { constant: !decisive, perhaps }
  const computable = open.filter((one) => one.isComputable)
  if (computable.length === 0 || computable.length === open.length)
    return {
      constant: null,
      parts: open.flatMap(({ parts }) => parts),
      perhaps,
      isComputable: computable.length > 0,
    }
  return {
    constant: null,
    parts: computable.flatMap(({ parts }) => parts),
    perhaps: [
      ...perhaps,
      ...open.flatMap(({ parts, isComputable: isKnown }) => (isKnown ? [] : parts)),
    ],
    isComputable: false,
  }
}

const known = new WeakMap<TreeNode, boolean>()

/** Whether the planner computes it: nothing of a row is in it, and nothing but immutable functions. */
export function isComputable(catalog: Catalog, node: TreeNode): boolean {
  const found =
    known.get(node) ??
    (!ofRows.has(node.type) &&
      (calledBy(catalog, node)?.volatility ?? 'i') === 'i' &&
      childrenOf(node).every((child) => isComputable(catalog, child)))
  known.set(node, found)
  return found
}

const ofRows = new Set([
  'VAR',
  'PARAM',
  'SUBLINK',
  'SUBPLAN',
  'AGGREF',
  'WINDOWFUNC',
  'GROUPINGFUNC',
  'QUERY',
  'SQLVALUEFUNCTION',
  'NEXTVALUEEXPR',
  'CURRENTOFEXPR',
  'COERCEVIAIO',
  'SETTODEFAULT',
])

function constantOf(node: TreeNode): boolean | null {
  if (node.type !== 'CONST' || wordOf(node, 'consttype') !== BOOLEAN) return null
  const bytes = valuesOf(node, 'constvalue').find(
    (value): value is string => typeof value === 'string' && value.startsWith('['),
  )
  return bytes === undefined ? null : bytes.startsWith('[1 ')
}

export const isNull = (node: TreeNode): boolean =>
  node.type === 'CONST' && wordOf(node, 'constisnull') === 'true'
