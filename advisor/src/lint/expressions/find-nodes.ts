import type { TreeNode, TreeValue } from '../../catalog/parse-node-tree.ts'
import { type Scope, scopeOf, within } from './scope.ts'
import type { Place } from './unwrap.ts'

/** Every node at and below one that is looked for, with where it stands. */
export function findNodes(
  node: TreeNode,
  scope: Scope,
  isSought: (node: TreeNode) => boolean,
): Place[] {
  const found: Place[] = []
  visit(node, scope, (place) => {
    if (isSought(place.node)) found.push(place)
  })
  return found
}

/** There may be a million nodes: nothing is copied on the way. */
function visit(value: TreeValue, scope: Scope, tell: (place: Place) => void): void {
  if (typeof value === 'string') return
  if (Array.isArray(value)) {
    for (const item of value as readonly TreeValue[]) visit(item, scope, tell)
    return
  }
  const node = value as TreeNode
  tell({ node, scope })
  const inside = node.type === 'QUERY' ? within(scope, node) : scope
  for (const field in node.fields) visit(node.fields[field] as TreeValue, inside, tell)
}

const known = new WeakMap<TreeNode, ReadonlyMap<string, readonly Place[]>>()
const none: readonly Place[] = []

/** Of these alone, or the places would take more than the trees. */
const kept = new Set<string>([
  'OPEXPR',
  'DISTINCTEXPR',
  'SCALARARRAYOPEXPR',
  'FUNCEXPR',
  'SUBLINK',
  'CONST',
])
export type KeptType =
  | 'OPEXPR'
  | 'DISTINCTEXPR'
  | 'SCALARARRAYOPEXPR'
  | 'FUNCEXPR'
  | 'SUBLINK'
  | 'CONST'

/** The nodes of some type in a policy's whole expression, in the order of its text; each tree is gone through once. */
export function placesOf(tree: TreeNode, relation: number, type: KeptType): readonly Place[] {
  let byType = known.get(tree)
  if (byType === undefined) {
    const found = new Map<string, Place[]>()
    visit(tree, scopeOf(relation), (place) => {
      if (!kept.has(place.node.type)) return
      const same = found.get(place.node.type)
      if (same === undefined) found.set(place.node.type, [place])
      else same.push(place)
    })
    byType = found
    known.set(tree, byType)
  }
  return byType.get(type) ?? none
}
