import type { Index, IndexKey } from './catalog.ts'
import { nodesIn } from './parse-node-tree.ts'
import { expressionOf } from './reading.ts'

/** What an index can be asked, as `addIndexes` reads it beside the rest. */
export interface KeyRow {
  keyed: {
    classes: number[]
    collations: number[]
    orders: number[]
    expressions: string | null
    condition: string | null
  }
}

/** Of pg_index and `i`, its pg_class. */
export const keyColumns = `json_build_object(
      'classes', (indclass::oid[])[0:indnkeyatts - 1], 'collations', (indcollation::oid[])[0:indnkeyatts - 1],
      'orders', (indoption::int2[])[0:indnkeyatts - 1], 'expressions', indexprs::text, 'condition', indpred::text) as keyed,
      i.relispartition as "isOfParent", not indnullsnotdistinct as "areNullsDistinct", k.own as constraint,
      indisreplident or coalesce(k.others, false) as "isNeeded"`

/** pg_constraint is not indexed by what it goes by. */
export const constraintsByIndex = `left join (
      select conindid, min(oid) filter (where contype <> 'f') as own, bool_or(contype = 'f') as others
      from pg_constraint where conindid <> 0 and contype in ('p', 'u', 'x', 'f') group by conindid
    ) as k on k.conindid = i.oid`

export function keysOf(
  columns: number[],
  { classes, collations, orders, ...trees }: KeyRow['keyed'],
): Pick<Index, 'keys' | 'condition'> {
  const listed = expressionOf(null, trees.expressions && `{KEYS :items ${trees.expressions}}`)
  const expressions = listed === null ? [] : nodesIn(listed.tree, 'items')
  const keys = columns.map(
    (column, place): IndexKey => ({
      column,
      expression: column === 0 ? (expressions.shift() ?? null) : null,
      operatorClass: Number(classes[place] ?? 0),
      collation: Number(collations[place] ?? 0),
      order: orders[place] ?? 0,
    }),
  )
  return { keys, condition: expressionOf(null, trees.condition) }
}
