import type { Ask } from './finding.ts'

/** One thing that migrations made, as the statement that makes it. */
export interface CatalogEntry {
  kind: CatalogKind
  /** `policy users_own on pie_schema.users` */
  object: string
  /** What makes it; compared letter by letter. */
  make: string
  /** What takes it away. */
  drop: string
  /** The partition that it is of, and the table that this is a partition of; null for what is of no partition. */
  partition: string | null
  partition_of: string | null
}

/** The same as it is printed in `database/expected.json`. Which partitions there are is a matter of the month. */
export type ExpectedEntry = Pick<CatalogEntry, 'kind' | 'object' | 'make'>

export type CatalogKind =
  | 'table'
  | 'column'
  | 'constraint'
  | 'index'
  | 'row-security'
  | 'policy'
  | 'trigger'
  | 'trigger-state'
  | 'view'
  | 'function'
  | 'grant'

/**
 * Everything in Pie's schemas that anything stands on: what migrations have made, in words that do not depend on who owns the
 * database or how its login roles are called.
 *
 * @param ask with nothing on the search path but pg_catalog
 * @param roles who cream and pie_auth are here, and the owner
 */
export async function readCatalog(
  ask: Ask,
  { requests, auth, owner }: { requests: string; auth: string; owner: string },
): Promise<CatalogEntry[]> {
  return (await ask(everything, [requests, auth, owner])) as unknown as CatalogEntry[]
}

const named = (oid: string): string =>
  `(case when ${oid} = 0 then 'public' else (
     select case pg_roles.rolname when $3 then '<owner>' when $1 then 'cream' when $2 then 'pie_auth' else quote_ident(pg_roles.rolname) end
     from pg_roles where pg_roles.oid = ${oid}
   ) end)`

const everything = `
with schemas as (
  select oid, nspname as name, nspacl as acl, nspowner as owner from pg_namespace where nspname in ('pie_schema', 'pie_private', 'pie_hooks')
), tables as (
  select pg_class.oid, format('%I.%I', schemas.name, relname) as name, relrowsecurity, relforcerowsecurity, relacl, relowner, relkind, reloptions, relispartition,
    case when relispartition then format('%I.%I', schemas.name, relname) end as partition,
    (select inhparent::regclass::text from pg_inherits where inhrelid = pg_class.oid and pg_class.relispartition) as partition_of
  from pg_class join schemas on schemas.oid = relnamespace and schemas.name <> 'pie_hooks'
  where relkind in ('r', 'p', 'v', 'S', 'm', 'f')
), functions as (
  select pg_proc.oid, pg_proc.oid::regprocedure::text as name, proacl, proowner
  from pg_proc join schemas on schemas.oid = pronamespace and schemas.name <> 'pie_hooks'
  where prokind in ('f', 'p', 'w')
), entries (kind, object, make, drop, partition, partition_of) as (
  -- Columns, constraints and indexes of a partition are those of its table: Postgres sees to it.
  select 'table', 'table ' || name, format('create table %s ();', name), format('drop table %s;', name), null::text, null::text
  from tables where relkind in ('r', 'p', 'm', 'f') and not relispartition
  union all
  select 'column', format('column %s.%I', tables.name, attname),
    format('alter table %s add column %I %s%s%s;', tables.name, attname, format_type(atttypid, atttypmod),
      case when attidentity = 'a' then ' generated always as identity' else coalesce(' default ' || pg_get_expr(adbin, adrelid), '') end,
      case when attnotnull then ' not null' else '' end),
    format('alter table %s drop column %I;', tables.name, attname), null, null
  from tables join pg_attribute on attrelid = tables.oid and attnum > 0 and not attisdropped
  left join pg_attrdef on adrelid = attrelid and adnum = attnum
  where relkind in ('r', 'p') and not relispartition
  union all
  select 'constraint', format('constraint %I on %s', conname, tables.name),
    format('alter table %s add constraint %I %s;', tables.name, conname, pg_get_constraintdef(pg_constraint.oid)),
    format('alter table %s drop constraint %I;', tables.name, conname), null, null
  from tables join pg_constraint on conrelid = tables.oid where contype in ('p', 'u', 'c', 'f', 'x') and not relispartition
  union all
  select 'index', format('index %s', indexrelid::regclass), pg_get_indexdef(indexrelid) || ';', format('drop index %s;', indexrelid::regclass), null, null
  from tables join pg_index on indrelid = tables.oid
  where not relispartition and indisvalid and not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))
  union all
  select 'row-security', 'row-level security of ' || name,
    concat_ws(' ', case when relrowsecurity then format('alter table %s enable row level security;', name) end,
      case when relforcerowsecurity then format('alter table %s force row level security;', name) end),
    format('alter table %s disable row level security;', name), partition, partition_of
  from tables where relkind in ('r', 'p')
  union all
  select 'policy', format('policy %I on %s', polname, tables.name),
    format('create policy %I on %s%s for %s to %s%s%s;', polname, tables.name, case when polpermissive then '' else ' as restrictive' end,
      case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
      (select string_agg(${named('role')}, ', ' order by ${named('role')} collate "C") from unnest(polroles) as role),
      ' using (' || pg_get_expr(polqual, polrelid) || ')', ' with check (' || pg_get_expr(polwithcheck, polrelid) || ')'),
    format('drop policy %I on %s;', polname, tables.name), partition, partition_of
  from tables join pg_policy on polrelid = tables.oid
  union all
  select 'trigger', format('trigger %I on %s', tgname, tables.name), pg_get_triggerdef(pg_trigger.oid) || ';', format('drop trigger %I on %s;', tgname, tables.name), partition, partition_of
  from tables join pg_trigger on tgrelid = tables.oid where not tgisinternal
  union all
  select 'trigger-state', format('state of trigger %I on %s', tgname, tables.name),
    format('alter table %s %s trigger %I;', tables.name,
      case tgenabled when 'A' then 'enable always' when 'O' then 'enable' when 'R' then 'enable replica' else 'disable' end, tgname),
    format('alter table %s disable trigger %I;', tables.name, tgname), partition, partition_of
  from tables join pg_trigger on tgrelid = tables.oid where not tgisinternal
  union all
  -- Those of foreign keys too, on both tables: switched off, rows stay that belong to nobody.
  select 'trigger-state', format('triggers of constraint %I on %s', conname, tables.name),
    format('alter table %s drop constraint %I, add constraint %I %s;', tables.name, conname, conname, pg_get_constraintdef(pg_constraint.oid)), '', null, null
  from tables join pg_constraint on conrelid = tables.oid and contype = 'f'
  where not exists (select from pg_trigger where tgconstraint = pg_constraint.oid and tgenabled <> 'O')
  union all
  select 'view', 'view ' || name,
    format('create view %s%s as %s', name, ' with (' || array_to_string(reloptions, ', ') || ')', regexp_replace(pg_get_viewdef(oid), '\\s+', ' ', 'g')),
    format('drop view %s;', name), null, null
  from tables where relkind = 'v'
  union all
  select 'function', 'function ' || name, rtrim(pg_get_functiondef(oid)) || ';', format('drop function %s;', name), null, null from functions
  union all
  select 'grant', format('%s on %s to %s', lower(privilege_type), what, ${named('grantee')}),
    format('grant %s on %s to %s%s;', lower(privilege_type), what, ${named('grantee')}, case when is_grantable then ' with grant option' else '' end),
    format('revoke %s on %s from %s;', lower(privilege_type), what, case grantee when 0 then 'public' else grantee::regrole::text end), null, null
  from (
    select 'schema ' || quote_ident(name) as what, owner, privilege_type, grantee, is_grantable from schemas cross join lateral aclexplode(acl)
    union all
    select case relkind when 'S' then 'sequence ' else '' end || name, relowner, privilege_type, grantee, is_grantable
    from tables cross join lateral aclexplode(relacl)
    union all
    select 'function ' || name, proowner, privilege_type, grantee, is_grantable
    from functions cross join lateral aclexplode(coalesce(proacl, acldefault('f', proowner)))
  ) as given
  where grantee <> owner
  union all
  select 'grant', format('%s (%I) on %s to %s', lower(privilege_type), attname, tables.name, ${named('grantee')}),
    format('grant %s (%I) on %s to %s%s;', lower(privilege_type), attname, tables.name, ${named('grantee')}, case when is_grantable then ' with grant option' else '' end),
    format('revoke %s (%I) on %s from %s;', lower(privilege_type), attname, tables.name, case grantee when 0 then 'public' else grantee::regrole::text end), null, null
  from tables join pg_attribute on attrelid = tables.oid and not attisdropped
  cross join lateral aclexplode(attacl)
  where grantee <> relowner
)
select distinct kind, object, make, drop, partition, partition_of from entries where object is not null and make is not null order by kind, object, make`
