import { childrenOf, type TreeNode, type TreeValue, wordOf } from '../../catalog/parse-node-tree.ts'

export interface Call {
  functionOid: string
  /** That it runs for each row though it knows nothing of the row. */
  runsPerRow: boolean
}

/** CoercionForm: written `f(…)`, and not as a cast or in words of its own. */
const EXPLICIT_CALL = '0'

/**
 * The calls that are written as such in a policy's expression outside of its sub-selects, in the order of its
 * text. What stands in a sub-select runs once per statement, unless that asks for the row; what has a column
 * of the row below it cannot.
 */
export function findCalls(tree: TreeNode, isImmutable: (functionOid: string) => boolean): Call[] {
  const walk = (node: TreeNode, isWithinOne: boolean): Call[] => {
    const functionOid = wordOf(node, 'funcid')
    const isCall = node.type === 'FUNCEXPR' && wordOf(node, 'funcformat') === EXPLICIT_CALL
    const runsPerRow = !isWithinOne && isCall && !isImmutable(functionOid) && !knowsTheRow(node, 0)
    const below = childrenOf(node)
      .filter(({ type }) => type !== 'QUERY')
      .flatMap((child) => walk(child, isWithinOne || runsPerRow))
    return isCall ? [{ functionOid, runsPerRow }, ...below] : below
  }
  return walk(tree, false)
}

/** Whether a column of the policy's row is below: a VAR as many queries up as it is deep. */
export function knowsTheRow(node: TreeNode, depth: number): boolean {
  if (node.type === 'VAR') return wordOf(node, 'varlevelsup') === String(depth)
  return childrenOf(node).some((child) =>
    knowsTheRow(child, child.type === 'QUERY' ? depth + 1 : depth),
  )
}

/** Every function that an expression calls, as operators too. */
export function calledFunctions(node: TreeNode): string[] {
  const oids = new Set<string>()
  const visit = (value: TreeValue): void => {
    if (typeof value === 'string') return
    if (Array.isArray(value)) {
      for (const item of value as readonly TreeValue[]) visit(item)
      return
    }
    const { fields } = value as TreeNode
    for (const field in fields) {
      const inner = fields[field] as TreeValue
      if (typeof inner !== 'string') visit(inner)
      else if (field === 'funcid' || field === 'opfuncid') oids.add(inner)
    }
  }
  visit(node)
  return [...oids]
}
