import type { Catalog } from '../../catalog/catalog.ts'
import { collationFor } from '../lookups/collation-for.ts'
import { findUnserved, type Unserved } from '../lookups/find-unserved.ts'
import { methodFor } from '../lookups/method-for.ts'
import { writeExpression } from '../lookups/write-expression.ts'
import type { Fault, Rule } from '../rule.ts'

export const policyColumnWithoutIndex: Rule = {
  name: 'policy-column-without-index',
  weight: 'slow',
  why:
    'A policy is a condition of every statement: a column that it compares and no index begins with ' +
    'has the whole table read, each time, for everybody.',
  find: (catalog) => {
    const faults = findUnserved(catalog).flatMap((unserved) => faultOf(catalog, unserved) ?? [])
    // Two policies may ask for one index.
    return [...new Map(faults.map((fault) => [fault.object, fault])).values()]
  },
}

function faultOf(catalog: Catalog, unserved: Unserved): Fault | null {
  const { relation, lookup, policy } = unserved
  const method = methodFor(catalog, lookup)
  const written = writeExpression(catalog, relation, lookup.operand)
  const collation = collationFor(lookup)
  if (method === null || written === null || collation === null) return null
  const using = method === 'btree' ? '' : `using ${method} `
  const isColumn = lookup.column > 0
  return {
    object: isColumn
      ? `column ${relation.sql}.${written}`
      : `expression ${written} on ${relation.sql}`,
    detail: `${policy.object} looks rows up by it${closestIndex(unserved)}${collation === '' ? '' : `, in the order of names,${collation}`}`,
    mend: `create index on ${relation.sql} ${using}(${isColumn ? written : `(${written})`}${collation});`,
  }
}

/** Why one that is there does not help. */
function closestIndex({ relation, lookup: { column } }: Unserved): string {
  if (column === 0) return ''
  const first = relation.indexes.find(({ columns }) => columns[0] === column)
  const later = relation.indexes.find(({ columns }) => columns.includes(column))
  if (first !== undefined && !first.isValid) return `; the index ${first.sql} is not valid`
  if (first?.predicate != null)
    return `; the index ${first.sql} holds a part of the rows, and the policy does not say that it asks for these`
  if (first !== undefined) return `; the index ${first.sql} cannot be asked by this operator`
  return later === undefined ? '' : `; the index ${later.sql} begins with another column`
}
