import { findComparedColumns } from '../find-compared-columns.ts'
import { expressionsOf, mentioned, type PolicyRow, policies } from '../policy-source.ts'
import type { QueriedRule as Rule } from '../queried-rule.ts'

type Row = PolicyRow & {
  equality: string[]
  tables: Record<string, { name: string; columns: Record<string, string>; leading: number[] }>
}

/** An index on part of the rows serves where it leaves out only those in which the column is null. */
const leading = `
  select coalesce(jsonb_agg(indkey[0]), '[]')
  from pg_index
  join pg_class as i on i.oid = indexrelid join pg_am on pg_am.oid = i.relam
  join pg_attribute on attrelid = indrelid and attnum = indkey[0]
  where indrelid = t.oid and indisvalid and amname in ('btree', 'hash')
    and (indpred is null or pg_get_expr(indpred, indrelid) = format('(%I IS NOT NULL)', attname))`

export const policyColumnWithoutIndex: Rule = {
  name: 'policy-column-without-index',
  why:
    'A policy is a condition of every statement: a column that it compares and no index begins with ' +
    'has the whole table read, each time, for everybody.',
  query: `
    select p.*, (
      select coalesce(jsonb_agg(distinct amopopr::text), '[]') from pg_amop join pg_am on pg_am.oid = amopmethod
      where amopopr in ${mentioned('opno')}
        and (amname, amopstrategy) in (('btree', 3), ('hash', 1))
    ) as equality, (
      select coalesce(jsonb_object_agg(t.oid, jsonb_build_object(
        'name', format('%I.%I', nspname, relname), 'leading', (${leading}), 'columns', (
          select jsonb_object_agg(attnum, quote_ident(attname)) from pg_attribute where attrelid = t.oid and attnum > 0
        ))), '{}')
      from pg_class as t join pg_namespace on pg_namespace.oid = relnamespace
      where relkind in ('r', 'p', 'm') and (t.oid = relation or t.oid in ${mentioned('relid')})
    ) as tables
    from (${policies}) as p`,
  read: (row: Row) => {
    const isEquality = (operator: string) => row.equality.includes(operator)
    const compared = expressionsOf(row).flatMap(({ tree, isUsing }) =>
      findComparedColumns(tree, row.relation, isEquality)
        // What a new row is checked for is not what it is found by.
        .filter(({ relation }) => isUsing || relation !== row.relation),
    )
    return compared.flatMap(({ relation, columns: [...columns] }) => {
      const table = row.tables[relation]
      const [first = ''] = columns
      const name = table?.columns[first]
      if (table === undefined || name === undefined) return []
      if (columns.some((column) => table.leading.includes(Number(column)))) return []
      return [
        {
          object: `column ${table.name}.${name}`,
          mend: `create index on ${table.name} (${name});`,
        },
      ]
    })
  },
}
