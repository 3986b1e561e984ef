import type { Catalog, Expression, Policy } from '../../catalog/catalog.ts'
import {
  childrenOf,
  nodesIn,
  numberOf,
  type TreeNode,
  wordOf,
} from '../../catalog/parse-node-tree.ts'

/**
 * The columns of the row that a condition holds against who asks: `owner_id = auth.uid()`, `team_id in (select …)`,
 * `is_member(team_id)`. What it holds against constants alone, and what only one side of an `or` asks about, is not one.
 */
export function askedColumns(catalog: Catalog, { tree }: Expression): Set<number> {
  return askedIn(catalog, tree)
}

function askedIn(catalog: Catalog, node: TreeNode): Set<number> {
  if (node.type === 'BOOLEXPR' && wordOf(node, 'boolop') !== 'not') {
    const isAnd = wordOf(node, 'boolop') === 'and'
    const parts = nodesIn(node, 'args')
      .filter((part) => isAnd || !isWithoutValue(part))
      .map((part) => askedIn(catalog, part))
    return isAnd
      ? new Set(parts.flatMap((part) => [...part]))
      : new Set([...(parts[0] ?? [])].filter((column) => parts.every((part) => part.has(column))))
  }
  return asksSomebody(catalog, node) ? rowColumns(node, 0) : new Set()
}

/** `column is null`: the empty value is nobody's. */
const isWithoutValue = (node: TreeNode): boolean =>
  node.type === 'NULLTEST' && wordOf(node, 'nulltesttype') === '0'

/** Whether it knows more than the row and constants. */
function asksSomebody(catalog: Catalog, node: TreeNode): boolean {
  if (node.type === 'SUBLINK' || node.type === 'SQLVALUEFUNCTION') return true
  const called = catalog.functions.get(numberOf(node, 'funcid') || numberOf(node, 'opfuncid'))
  if (called !== undefined && (called.volatility !== 'i' || !called.schema.isOfPostgres))
    return true
  return childrenOf(node).some((child) => asksSomebody(catalog, child))
}

/** The columns of a policy's row that are named below: as many queries up as it is deep. */
export function rowColumns(node: TreeNode, depth: number): Set<number> {
  if (node.type === 'VAR')
    return new Set(
      numberOf(node, 'varlevelsup') === depth && (depth > 0 || numberOf(node, 'varno') === 1)
        ? [numberOf(node, 'varattno')]
        : [],
    )
  return new Set(
    childrenOf(node).flatMap((child) => [
      ...rowColumns(child, child.type === 'QUERY' ? depth + 1 : depth),
    ]),
  )
}

/** Whether an expression lets every row through: the constant true. */
export function isTrue(expression: Expression | null): boolean {
  return expression !== null && /^\(*true\)*$/i.test(expression.text.trim())
}

/** What a new row is held against: where a policy for updates does not say, what the old one was. */
export const checkOf = ({ check, using, command }: Policy): Expression | null =>
  check ?? (command === 'insert' ? null : using)
