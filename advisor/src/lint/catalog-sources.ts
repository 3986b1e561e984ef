/**
 * What rules ask about: sub-queries over what stands in the schemas of $1 and belongs to no extension,
 * because an extension's objects are mended by whoever writes it. `offset 0` keeps Postgres from asking the
 * dear questions of a rule about all of pg_catalog first.
 */
const ofNoExtension = (catalog: string, oid: string) => `not exists (
    select from pg_depend where classid = '${catalog}'::regclass and objid = ${oid} and deptype = 'e'
  )`

/** Tables, views and sequences: pg_class with `name`, as SQL writes it, and `kind`, as SQL calls it. */
export const relations = `(
  select pg_class.*, format('%I.%I', nspname, relname) as name,
    case relkind when 'v' then 'view' when 'm' then 'materialized view'
      when 'f' then 'foreign table' when 'S' then 'sequence' else 'table' end as kind
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where nspname = any ($1::text[]) and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    and ${ofNoExtension('pg_class', 'pg_class.oid')}
  offset 0
)`

/** Functions and procedures: pg_proc with `name`, with the types of the arguments, and `kind`. */
export const routines = `(
  select pg_proc.*,
    -- comment on and alter aggregate know one without arguments by its star
    case when prokind = 'a' and pronargs = 0 then format('%I.%I(*)', nspname, proname)
      else pg_proc.oid::regprocedure::text end as name,
    case prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as kind
  from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
  where nspname = any ($1::text[]) and ${ofNoExtension('pg_proc', 'pg_proc.oid')}
  offset 0
)`

/** The schemas that hold any of these. */
export const schemas = `(
  select pg_namespace.*, quote_ident(nspname) as name
  from pg_namespace
  where nspname = any ($1::text[]) and (
    exists (select from ${relations} as r where relnamespace = pg_namespace.oid)
    or exists (select from ${routines} as f where pronamespace = pg_namespace.oid)
  )
)`

/** Every right on a table, view or sequence, or on a column of one, that somebody but its owner has. */
export const grants = `(
  select r.oid, r.name, r.kind, attname, grantee, coalesce(quote_ident(rolname), 'public') as grantee_name,
    lower(privilege_type) as privilege
  from ${relations} as r
  cross join lateral (
    select null::name as attname, relacl as acl
    union all
    select attname, attacl from pg_attribute where attrelid = r.oid and attnum > 0 and not attisdropped
  ) as granted
  cross join lateral aclexplode(acl)
  left join pg_roles on pg_roles.oid = grantee
  where grantee <> r.relowner
)`

/** The names that `lintDatabase` was told, as a set of texts. */
const told = (setting: string) =>
  `(select jsonb_array_elements_text(current_setting('${setting}')::jsonb))`

/** What a request may act as: the roles that were named, and every role that one of them is a member of. */
export const rolesOfRequests = `(
  select reached.oid from pg_roles as reached, pg_roles as named
  where named.rolname in ${told('advisor.request_roles')} and pg_has_role(named.oid, reached.oid, 'member')
)`

/** The schemas of functions that are called when something has happened. */
export const hookSchemas = `(
  select oid from pg_namespace where nspname in ${told('advisor.hook_schemas')}
)`

/** A policy that shows a table to its owner, for where no other does. `r` is the table. */
export const policyForOwner = `case when not exists (
    select from pg_policy where polrelid = r.oid and polpermissive and polroles && array[0::oid, r.relowner]
  ) then format(e'\\ncreate policy %I on %s to %I using (true) with check (true);',
    left(relname, 53) || '_for_owner', r.name, pg_get_userbyid(relowner)) else '' end`
