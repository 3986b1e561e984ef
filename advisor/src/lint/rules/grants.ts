import { grants, relations } from '../catalog-sources.ts'
import type { QueriedRule as Rule } from '../queried-rule.ts'

const object = `format('grant to %s on %s %s', grantee_name, g.kind, g.name)`

/** Given whole only where it is whole already: a mend shows nobody more than they saw. */
export const selectListsColumns: Rule = {
  name: 'select-lists-columns',
  why:
    'A list of readable columns breaks select *, and a column is one slip from being on it: what only ' +
    'some may read belongs in a table of its own, one to one.',
  query: `
    select ${object} as object,
      format('revoke select on %s from %s;', g.name, grantee_name)
        || case when count(attname) = (
          select count(*) from pg_attribute where attrelid = g.oid and attnum > 0 and not attisdropped
        ) or count(*) > count(attname)
          then format(e'\\ngrant select on %s to %s;', g.name, grantee_name)
          else format(e'\\n-- and when the other columns are in a table of their own: grant select on %s to %s;', g.name, grantee_name)
        end as mend
    from ${grants} as g
    where privilege = 'select' and grantee <> 0
    group by g.oid, g.kind, g.name, grantee_name
    having count(attname) > 0`,
}

const onWholeTable = (privilege: 'insert' | 'update') => `
  select distinct ${object} as object,
    format('revoke ${privilege} on %s from %s;', g.name, grantee_name)
      || coalesce(format(e'\\n-- without the columns that are not theirs to write:\\ngrant ${privilege} (%s) on %s to %s;',
        columns, g.name, grantee_name), '') as mend
  from ${grants} as g
  cross join lateral (
    select string_agg(quote_ident(attname), ', ' order by attnum) as columns
    from pg_attribute
    where attrelid = g.oid and attnum > 0 and not attisdropped and attgenerated = '' and attidentity <> 'a'
  ) as writable
  where privilege = '${privilege}' and g.attname is null and grantee <> 0`

export const insertOnWholeTable: Rule = {
  name: 'insert-on-whole-table',
  why:
    'It covers every column that will ever be added, and the ones that the database fills: whoever ' +
    'made the row, when, whether it is verified.',
  query: onWholeTable('insert'),
}

export const updateOnWholeTable: Rule = {
  name: 'update-on-whole-table',
  why:
    'It covers every column that will ever be added: a policy says which rows may be changed, and ' +
    'only the list of columns what in them, such as the owner or whether it is verified.',
  query: onWholeTable('update'),
}

/** PostgreSQL manual, 5.9: operations on the whole table are not subject to row security. */
export const grantPastPolicies: Rule = {
  name: 'grant-past-policies',
  why:
    'Policies do not hold for truncate, which empties the table of everybody, nor for references, ' +
    'with which foreign keys ask which values there are.',
  query: `
    select ${object} as object,
      format('revoke %s on %s from %s;', string_agg(distinct privilege, ', '), g.name, grantee_name) as mend
    from ${grants} as g
    where privilege in ('truncate', 'references') and grantee <> 0
    group by g.kind, g.name, grantee_name`,
}

export const grantedToPublic: Rule = {
  name: 'granted-to-public',
  why: 'public is every role there is and will be, also those of other applications on this server.',
  query: `
    select distinct ${object} as object,
      format('revoke all on %s%s from public;', case when relkind = 'S' then 'sequence ' else '' end, g.name) as mend
    from ${grants} as g join ${relations} as r on r.oid = g.oid
    where grantee = 0`,
}
