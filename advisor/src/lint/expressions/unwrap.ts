import { nodesIn, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import { rangeTableOf, type Scope, targetsOf, within } from './scope.ts'

/** A node, and where it stands. */
export interface Place {
  node: TreeNode
  scope: Scope
}

/** What leaves a value what it is, but for its type. */
const wrappings = new Set([
  'RELABELTYPE',
  'COERCEVIAIO',
  'COLLATEEXPR',
  'COERCETODOMAIN',
  'ARRAYCOERCEEXPR',
])

/** CoercionForm: a function that is written as a cast, or not at all. */
const casts = new Set(['1', '2'])

/** SubLinkType */
export const EXISTS = '0'
export const ANY = '2'
export const VALUE = '4'
export const ARRAY = '6'

/** Through casts, and through `(select …)` around what asks no table. */
export function unwrap(node: TreeNode, scope: Scope): Place {
  if (wrappings.has(node.type)) {
    const [inner] = nodesIn(node, 'arg')
    return inner === undefined ? { node, scope } : unwrap(inner, scope)
  }
  if (node.type === 'FUNCEXPR' && casts.has(wordOf(node, 'funcformat'))) {
    const [inner] = nodesIn(node, 'args')
    return inner === undefined ? { node, scope } : unwrap(inner, scope)
  }
  const query = plainQueryOf(node)
  const [target] = query === null ? [] : targetsOf(query)
  return query === null || target === undefined
    ? { node, scope }
    : unwrap(target, within(scope, query))
}

/** The query of a `(select …)` without `from` and conditions, or null. */
export function plainQueryOf(node: TreeNode): TreeNode | null {
  if (node.type !== 'SUBLINK' || wordOf(node, 'subLinkType') !== VALUE) return null
  const [query] = nodesIn(node, 'subselect')
  if (query === undefined || rangeTableOf(query).length > 0) return null
  const [join] = nodesIn(query, 'jointree')
  const hasConditions = join !== undefined && nodesIn(join, 'quals').length > 0
  return hasConditions ? null : query
}

export const argumentsOf = (node: TreeNode): TreeNode[] => nodesIn(node, 'args')

/** The query of a sub-select of whatever kind. */
export const queryOf = (sublink: TreeNode): TreeNode | undefined => nodesIn(sublink, 'subselect')[0]
