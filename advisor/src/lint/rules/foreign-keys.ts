import { relations } from '../catalog-sources.ts'
import type { QueriedRule as Rule } from '../queried-rule.ts'

/** Those of a partition that come from its table are mended there. */
const foreignKeys = `
  select pg_constraint.*, r.name, format('foreign key %I on %s', conname, r.name) as object
  from ${relations} as r join pg_constraint on conrelid = r.oid
  where contype = 'f' and conparentid = 0`

export const foreignKeyWithoutOnDelete: Rule = {
  name: 'foreign-key-without-on-delete',
  why:
    'What happens to this row when the other is deleted was not decided: deleting a user fails, one ' +
    'day, on the table that nobody thought of.',
  query: `
    select object, format(e'-- or on delete cascade, or set null: whichever is meant\\nalter table %s drop constraint %I, add constraint %2$I %s;',
      name, conname, regexp_replace(pg_get_constraintdef(k.oid), '((?: NOT)? DEFERRABLE.*| NOT VALID.*| NOT ENFORCED.*|)$', ' ON DELETE RESTRICT\\1')) as mend
    from (${foreignKeys}) as k
    where confdeltype = 'a'`,
}

/** A partial index serves where it leaves out only the rows that refer to nothing. */
export const foreignKeyWithoutIndex: Rule = {
  name: 'foreign-key-without-index',
  why: 'Deleting what it refers to reads this whole table, and locks as it goes.',
  query: `
    select object, format('create index on %s (%s);', name, (
      select string_agg(quote_ident(attname), ', ' order by place)
      from unnest(conkey) with ordinality as key (number, place)
      join pg_attribute on attrelid = conrelid and attnum = number
    )) as mend
    from (${foreignKeys}) as k
    where not exists (
      select from pg_index
      where indrelid = conrelid and indisvalid
        and (indkey::smallint[])[0:cardinality(conkey) - 1] @> conkey
        and (indpred is null or pg_get_expr(indpred, indrelid) = format('(%I IS NOT NULL)', (
          select attname from pg_attribute where attrelid = conrelid and attnum = conkey[1]
        )))
    )`,
}
