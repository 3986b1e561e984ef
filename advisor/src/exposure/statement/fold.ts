import { nodesIn, type TreeNode, valuesOf, wordOf } from '../../catalog/parse-node-tree.ts'

/** As pg_type has it. */
const BOOLEAN = '16'

export type Folded = { constant: boolean } | { constant: null; parts: TreeNode[] }

/**
 * What the planner leaves of a condition before anything is called: `true or f()` calls nothing, and `true and f()` calls f.
 * `parts` are what is left to be looked at.
 */
export function fold(node: TreeNode): Folded {
  const constant = constantOf(node)
  if (constant !== null) return { constant }
  if (node.type !== 'BOOLEXPR') return { constant: null, parts: [node] }
  const operation = wordOf(node, 'boolop')
  const folded = nodesIn(node, 'args').map(fold)
  if (operation === 'not') {
    const [argument] = folded
    if (argument !== undefined && argument.constant !== null)
      return { constant: !argument.constant }
    return { constant: null, parts: argument?.constant === null ? argument.parts : [] }
  }
  return combine(folded, operation === 'or')
}

/** @param decisive what makes an end to the others: true among alternatives, false among conditions */
export function combine(folded: readonly Folded[], decisive: boolean): Folded {
  if (folded.some(({ constant }) => constant === decisive)) return { constant: decisive }
  const open = folded.filter((one) => one.constant === null)
  if (open.length === 0) return { constant: !decisive }
  return { constant: null, parts: open.flatMap(({ parts }) => parts) }
}

function constantOf(node: TreeNode): boolean | null {
  if (node.type !== 'CONST' || wordOf(node, 'consttype') !== BOOLEAN) return null
  const bytes = valuesOf(node, 'constvalue').find(
    (value): value is string => typeof value === 'string' && value.startsWith('['),
  )
  return bytes === undefined ? null : bytes.startsWith('[1 ')
}

export const isNull = (node: TreeNode): boolean =>
  node.type === 'CONST' && wordOf(node, 'constisnull') === 'true'
