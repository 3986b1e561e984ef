import { numberOf } from '../../catalog/parse-node-tree.ts'
import type { Lookup } from './find-lookups.ts'

/** pg_collation's own. */
const C = 950

/**
 * What an index has to be told so that it is ordered as the comparison asks: `text = name`, as of a column with
 * current_user, goes by the collation of name, which is "C", and not by that of the column. Null where that cannot be said.
 */
export function collationFor({ operand, collation }: Lookup): string | null {
  const own = ['varcollid', 'funccollid', 'opcollid', 'resultcollid']
    .map((field) => numberOf(operand, field))
    .find((oid) => oid > 0)
  if (own === undefined || collation === 0 || own === collation) return ''
  return collation === C ? ' collate "C"' : null
}
