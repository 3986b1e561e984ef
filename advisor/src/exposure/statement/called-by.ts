import type { Catalog, Routine } from '../../catalog/catalog.ts'
import { numberOf, type TreeNode } from '../../catalog/parse-node-tree.ts'

/**
 * The function that a node calls itself, of those that Postgres asks about: a cast by text, a comparison of rows and the
 * like call functions too, and nobody has to be allowed to.
 */
export function calledBy(catalog: Catalog, node: TreeNode): Routine | null {
  const oid = oidOf(catalog, node)
  return oid === 0 ? null : (catalog.functions.get(oid) ?? null)
}

function oidOf({ operators }: Catalog, node: TreeNode): number {
  switch (node.type) {
    case 'FUNCEXPR':
      return numberOf(node, 'funcid')
    case 'AGGREF':
      return numberOf(node, 'aggfnoid')
    case 'WINDOWFUNC':
      return numberOf(node, 'winfnoid')
    case 'OPEXPR':
    case 'DISTINCTEXPR':
    case 'NULLIFEXPR':
    case 'SCALARARRAYOPEXPR':
      return numberOf(node, 'opfuncid') || (operators.get(numberOf(node, 'opno'))?.function ?? 0)
    default:
      return 0
  }
}
