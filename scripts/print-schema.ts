/**
 * Prints database/schema.sql: the schemas as the migrations leave them, read from the catalog of a
 * fresh database, so that a change in a migration is reviewed as a change of the whole.
 */
import type pg from 'pg'

const header = `-- The database as the migrations leave it. Printed by \`npm run print\`; not to be edited.
-- Read it to review a change; the reasons stand in the migrations.
`

export async function printSchema(owner: pg.Client): Promise<string> {
  const { rows: parts } = await owner.query<{ sql: string }>(everything)
  return `${header}\n${parts.map(({ sql }) => sql.trim()).join('\n\n')}\n`
}

/** Schemas, then each table with all that belongs to it, the views, the functions. */
const everything = `
with schemas as (
  select oid, nspname as name, nspacl as acl from pg_namespace
  where nspname in ('pie_schema', 'pie_private', 'pie_hooks')
), grantees as (
  select 0::oid as oid, 'public' as name union all select oid, quote_ident(rolname) from pg_roles
), parts as (
  select 1 as place, schemas.name as object, format('create schema %I;', schemas.name)
    || ${comment(`obj_description(schemas.oid, 'pg_namespace')`, `format('schema %I', schemas.name)`)}
    || ${grants('schemas.acl', `format('schema %I', schemas.name)`)} as sql
  from schemas
  union all
  select 2, format('%I.%I', schemas.name, relname),
    format(e'create table %I.%I (\\n%s\\n)%s%s;', schemas.name, relname, columns.sql || constraints.sql,
      ' partition by ' || pg_get_partkeydef(pg_class.oid), ' with (' || array_to_string(reloptions, ', ') || ')')
    || indexes.sql || triggers.sql
    || case when relrowsecurity then format(e'\\nalter table %I.%I enable row level security;', schemas.name, relname) else '' end
    || case when relforcerowsecurity then format(e'\\nalter table %I.%I force row level security;', schemas.name, relname) else '' end
    || policies.sql
    || ${grants('relacl', `format('%I.%I', schemas.name, relname)`)}
    || column_grants.sql
    || ${comment(`obj_description(pg_class.oid, 'pg_class')`, `format('table %I.%I', schemas.name, relname)`)}
    || column_comments.sql
  from pg_class
  join schemas on schemas.oid = relnamespace
  cross join lateral (
    select coalesce(string_agg(format('  %I %s%s%s', attname, format_type(atttypid, atttypmod),
      case when attidentity = 'a' then ' generated always as identity' else coalesce(' default ' || pg_get_expr(adbin, adrelid), '') end,
      case when attnotnull then ' not null' else '' end), e',\\n' order by attnum), '') as sql
    from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid = pg_class.oid and attnum > 0 and not attisdropped
  ) as columns
  cross join lateral (
    select coalesce(string_agg(format(e',\\n  constraint %I %s', conname, pg_get_constraintdef(pg_constraint.oid)), ''
      order by array_position(array['p','u','c','f'], contype::text), conname), '') as sql
    from pg_constraint where conrelid = pg_class.oid and contype in ('p', 'u', 'c', 'f')
  ) as constraints
  cross join lateral (
    select coalesce(string_agg(e'\\n' || pg_get_indexdef(indexrelid) || ';', '' order by indexrelid::regclass::text), '') as sql
    from pg_index where indrelid = pg_class.oid
      and not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u'))
  ) as indexes
  cross join lateral (
    select coalesce(string_agg(e'\\n' || pg_get_triggerdef(oid) || ';', '' order by tgname), '') as sql
    from pg_trigger where tgrelid = pg_class.oid and not tgisinternal
  ) as triggers
  cross join lateral (
    select coalesce(string_agg(format(e'\\ncreate policy %I on %I.%I for %s to %s%s%s;', polname, schemas.name, relname,
      case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
      (select string_agg(case when grantees.oid = pg_class.relowner then '<owner>' else grantees.name end, ', ' order by grantees.name)
       from grantees where grantees.oid = any (polroles)),
      ' using (' || pg_get_expr(polqual, polrelid) || ')',
      ' with check (' || pg_get_expr(polwithcheck, polrelid) || ')'), '' order by polname), '') as sql
    from pg_policy where polrelid = pg_class.oid
  ) as policies
  cross join lateral (
    select coalesce(string_agg(format(e'\\ngrant %s (%I) on %I.%I to %s;', lower(privilege_type), attname, schemas.name, relname,
      grantees.name), '' order by attnum, privilege_type, grantees.name), '') as sql
    from pg_attribute cross join lateral aclexplode(attacl) join grantees on grantees.oid = grantee
    where attrelid = pg_class.oid and attnum > 0
  ) as column_grants
  cross join lateral (
    select coalesce(string_agg(format(e'\\ncomment on column %I.%I.%I is %L;', schemas.name, relname, attname,
      col_description(attrelid, attnum)), '' order by attnum), '') as sql
    from pg_attribute where attrelid = pg_class.oid and attnum > 0 and col_description(attrelid, attnum) is not null
  ) as column_comments
  -- Which partitions there are is a matter of the month; each is as its table.
  where relkind in ('r', 'p') and not relispartition
  union all
  select 3, format('%I.%I', schemas.name, relname),
    format(e'create view %I.%I%s as\\n%s', schemas.name, relname,
      ' with (' || array_to_string(reloptions, ', ') || ')', pg_get_viewdef(pg_class.oid))
    || ${grants('relacl', `format('%I.%I', schemas.name, relname)`)}
    || ${comment(`obj_description(pg_class.oid, 'pg_class')`, `format('view %I.%I', schemas.name, relname)`)}
  from pg_class
  join schemas on schemas.oid = relnamespace
  where relkind = 'v'
  union all
  select 4, pg_proc.oid::regprocedure::text,
    rtrim(pg_get_functiondef(pg_proc.oid)) || ';'
    || case when proacl is null then format(e'\\n-- anybody may execute %s', pg_proc.oid::regprocedure) else '' end
    || ${grants('proacl', `format('function %s', pg_proc.oid::regprocedure)`, 'proowner')}
    || ${comment(`obj_description(pg_proc.oid, 'pg_proc')`, `format('function %s', pg_proc.oid::regprocedure)`)}
  from pg_proc join schemas on schemas.oid = pronamespace
)
select sql from parts order by place, object collate "C"`

function comment(description: string, object: string): string {
  return `coalesce(format(e'\\ncomment on %s is %L;', ${object}, ${description}), '')`
}

/** The grants in an access list, but for the owner's own. */
function grants(acl: string, object: string, owner?: string): string {
  const others = owner === undefined ? 'grantee <> grantor' : `grantee <> ${owner}`
  return `coalesce((
    select string_agg(sql, '' order by sql) from (
      select format(e'\\ngrant %s on %s to %s;', lower(string_agg(privilege_type, ', ' order by privilege_type)), ${object}, grantees.name) as sql
      from aclexplode(${acl}) join grantees on grantees.oid = grantee
      where ${others}
      group by grantees.name
    ) as granted
  ), '')`
}
