import { nodesIn, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import type { Scope } from '../expressions/scope.ts'
import { argumentsOf } from '../expressions/unwrap.ts'
import { columnOf } from './pinned-columns.ts'
import { type Facts, operatorOf, readValue } from './value.ts'

/** What a condition asks of a column of the row, whatever else it asks. */
export type Demand =
  | { column: number; is: 'equal' | 'different'; value: string; isConstant: boolean }
  | { column: number; is: 'null' | 'not null' }

/** Of what is joined by `and` alone: each has to be met. */
export function demandsOf(node: TreeNode, scope: Scope, facts: Facts, isNegated = false): Demand[] {
  if (node.type === 'BOOLEXPR') {
    const word = wordOf(node, 'boolop')
    if (word === 'not')
      return argumentsOf(node).flatMap((part) => demandsOf(part, scope, facts, !isNegated))
    return (word === 'and') === isNegated
      ? []
      : argumentsOf(node).flatMap((part) => demandsOf(part, scope, facts, isNegated))
  }
  if (node.type === 'NULLTEST') {
    const column = nodesIn(node, 'arg').flatMap((argument) => columnOf(argument, scope) ?? [])[0]
    const isNull = (wordOf(node, 'nulltesttype') === '0') !== isNegated
    return column === undefined ? [] : [{ column, is: isNull ? 'null' : 'not null' }]
  }
  const operator = node.type === 'OPEXPR' ? operatorOf(node, facts.catalog) : ''
  if (operator !== '=' && operator !== '<>') return []
  const isEqual = (operator === '=') !== isNegated
  const sides = argumentsOf(node)
  return sides.flatMap((side, index) => {
    const column = columnOf(side, scope)
    const other = sides[1 - index]
    const value = other === undefined ? null : readValue(other, scope, facts)
    if (column === null || value === null) return []
    const key =
      value.kind === 'constant'
        ? `${value.type} ${value.value}`
        : value.kind === 'same'
          ? value.key
          : null
    if (key === null || key === `row.${column}`) return []
    return [
      {
        column,
        is: isEqual ? 'equal' : 'different',
        value: key,
        isConstant: value.kind === 'constant',
      },
    ]
  })
}
