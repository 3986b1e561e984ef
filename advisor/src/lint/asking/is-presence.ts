import { nodesIn, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import { textOf } from '../expressions/constants.ts'
import type { Scope } from '../expressions/scope.ts'
import { argumentsOf, unwrap } from '../expressions/unwrap.ts'
import { type Facts, operatorOf, readValue } from './value.ts'

/** Whether a condition asks only that somebody has signed in: `auth.uid() is not null`, `auth.uid() = auth.uid()`. */
export function isPresence(
  node: TreeNode,
  scope: Scope,
  facts: Facts,
  isNegated: boolean,
): boolean {
  if (node.type === 'NULLTEST') {
    const isNull = (wordOf(node, 'nulltesttype') === '0') !== isNegated
    return !isNull && nodesIn(node, 'arg').some((side) => isWho(side, scope, facts))
  }
  if (node.type !== 'OPEXPR' || isNegated) return false
  const [one, other] = argumentsOf(node)
  if (one === undefined || other === undefined || !isWho(one, scope, facts)) return false
  const operator = operatorOf(node, facts.catalog)
  if (operator === '<>') return ['', '0'].includes(textOf(unwrap(other, scope).node) ?? 'other')
  return operator === '=' && keyOf(one, scope, facts) === keyOf(other, scope, facts)
}

function keyOf(side: TreeNode, scope: Scope, facts: Facts): string | null {
  const value = readValue(side, scope, facts)
  return value.kind === 'same' && value.isIdentity ? value.key : null
}

/** Who asks, from a function or from the token itself. */
function isWho(side: TreeNode, scope: Scope, facts: Facts): boolean {
  if (keyOf(side, scope, facts) !== null) return true
  const { node, scope: inside } = unwrap(side, scope)
  if (node.type !== 'OPEXPR' || !/^->>?$/.test(operatorOf(node, facts.catalog))) return false
  const [claims, field] = argumentsOf(node)
  if (claims === undefined || field === undefined) return false
  return (
    textOf(unwrap(field, inside).node) === 'sub' &&
    facts.identity.sourcesOf(unwrap(claims, inside).node).length > 0
  )
}
