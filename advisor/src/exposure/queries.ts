/** What is read from the catalog, as the owner, with only pg_catalog on the search path. */

export interface RoleRow {
  oid: number
  name: string
  is_superuser: boolean
  bypasses_row_security: boolean
  inherits: string[]
  may_become: string[]
}

/** $1: oids. */
export const readRoles = `
  select pg_roles.oid, rolname as name, rolsuper as is_superuser, rolbypassrls as bypasses_row_security,
    array(
      select other.rolname::text from pg_roles as other
      where other.oid <> pg_roles.oid and not pg_roles.rolsuper and pg_has_role(pg_roles.oid, other.oid, 'usage')
      order by other.rolname collate "C"
    ) as inherits,
    array(
      select other.rolname::text from pg_roles as other
      where other.oid <> pg_roles.oid and not pg_roles.rolsuper and pg_has_role(pg_roles.oid, other.oid,
        case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end)
      order by other.rolname collate "C"
    ) as may_become
  from pg_roles where oid = any ($1::oid[])`

const isOfAnExtension = (catalog: string) =>
  `exists (select from pg_depend where classid = '${catalog}'::regclass and objid = ${catalog}.oid and deptype = 'e')`

/** $1: names, or null for every schema that is not Postgres' own. */
export const readSchemas = `
  select oid, nspname as name from pg_namespace
  where case when $1::text[] is null
    then nspname <> 'information_schema' and nspname !~ '^pg_(catalog|toast|temp_|toast_temp_)' and not ${isOfAnExtension('pg_namespace')}
    else nspname = any ($1) end
  order by nspname collate "C"`

/** $1: schemas, $2: roles. */
export const readUsage = `
  select schema.oid as schema, role.oid as role
  from unnest($1::oid[]) as schema (oid), unnest($2::oid[]) as role (oid)
  where has_schema_privilege(role.oid, schema.oid, 'usage')`

export interface RelationRow {
  oid: number
  schema: number
  schema_name: string
  name: string
  kind: 'r' | 'p' | 'v' | 'm' | 'f'
  is_partition: boolean
  owner: number
  row_security: boolean
  forced: boolean
  is_invoker: boolean
  is_of_extension: boolean
  /** Actions that an `instead of` trigger does. */
  instead: string[]
  columns: { number: number; name: string; is_insertable: boolean; is_updatable: boolean }[]
}

/** Every relation, because a view may read one of another schema. $1: schemas whose columns are wanted. */
export const readRelations = `
  select pg_class.oid, relnamespace as schema, nspname as schema_name, relname as name, relkind as kind, relispartition as is_partition, relowner as owner,
    relrowsecurity as row_security, relforcerowsecurity as forced,
    coalesce((
      select option_value::boolean from pg_options_to_table(reloptions) where option_name = 'security_invoker'
    ), false) as is_invoker,
    ${isOfAnExtension('pg_class')} as is_of_extension,
    array(
      select action from pg_trigger, (values (4, 'insert'), (8, 'delete'), (16, 'update')) as known (bit, action)
      where tgrelid = pg_class.oid and tgtype & 64 <> 0 and tgtype & bit <> 0
    ) as instead,
    coalesce((
      select jsonb_agg(jsonb_build_object('number', attnum, 'name', attname,
        'is_insertable', attgenerated = '', 'is_updatable', attgenerated = '' and attidentity <> 'a') order by attnum)
      from pg_attribute
      where attrelid = pg_class.oid and attnum > 0 and not attisdropped and relnamespace = any ($1::oid[])
    ), '[]') as columns
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where relkind in ('r', 'p', 'v', 'm', 'f')
  order by nspname collate "C", relname collate "C"`

export interface PrivilegeRow {
  relation: number
  role: number
  action: 'select' | 'insert' | 'update' | 'delete' | 'truncate'
  /** Attribute numbers; null where the action knows no columns. */
  columns: number[] | null
}

/** What is granted. $1: relations, $2: roles. */
export const readPrivileges = `
  select pg_class.oid as relation, role.oid as role, action,
    case when action in ('select', 'insert', 'update') then array(
      select attnum from pg_attribute
      where attrelid = pg_class.oid and attnum > 0 and not attisdropped
        and has_column_privilege(role.oid, pg_class.oid, attnum, action)
      order by attnum
    ) end as columns
  from unnest($1::oid[]) as given (relation) join pg_class on pg_class.oid = given.relation,
    unnest($2::oid[]) as role (oid), unnest('{select,insert,update,delete,truncate}'::text[]) as action
  where has_schema_privilege(role.oid, relnamespace, 'usage')
    and case when action in ('select', 'insert', 'update')
      then has_any_column_privilege(role.oid, pg_class.oid, action)
      else has_table_privilege(role.oid, pg_class.oid, action) and not (action = 'truncate' and relkind in ('v', 'm')) end`

export interface PolicyRow {
  relation: number
  name: string
  command: 'select' | 'insert' | 'update' | 'delete' | 'all'
  is_restrictive: boolean
  using: string | null
  with_check: string | null
  /** Which of the roles it applies to, inherited ones included. */
  roles: number[]
}

/** $1: roles. */
export const readPolicies = `
  select polrelid as relation, polname as name, not polpermissive as is_restrictive,
    case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end as command,
    pg_get_expr(polqual, polrelid) as using, pg_get_expr(polwithcheck, polrelid) as with_check,
    array(
      select role.oid from unnest($1::oid[]) as role (oid)
      where 0 = any (polroles)
        or exists (select from unnest(polroles) as named (oid) where pg_has_role(role.oid, named.oid, 'usage'))
    ) as roles
  from pg_policy order by polname collate "C"`

/** Which relations each view reads by itself. */
export const readViewSources = `
  select distinct ev_class as view, refobjid as source
  from pg_rewrite
  join pg_depend on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid and refclassid = 'pg_class'::regclass and deptype = 'n'
  join pg_class on pg_class.oid = refobjid and relkind in ('r', 'p', 'v', 'm', 'f')
  where ev_type = '1' and refobjid <> ev_class and ev_class >= 16384`

/** Tables whose row-level security does not bind a role, as their owner. $1: roles. */
export const readOwnership = `
  select role.oid as role, owner.oid as owner
  from unnest($1::oid[]) as role (oid), (select distinct relowner as oid from pg_class) as owner
  where pg_has_role(role.oid, owner.oid, 'usage')`

export interface FunctionRow {
  schema_name: string
  signature: string
  returns: string | null
  kind: 'function' | 'procedure' | 'aggregate' | 'window function'
  security: 'definer' | 'invoker'
  roles: number[]
}

/** $1: schemas, $2: roles. */
export const readFunctions = `
  select nspname as schema_name, format('%I(%s)', proname, pg_get_function_identity_arguments(pg_proc.oid)) as signature,
    pg_get_function_result(pg_proc.oid) as returns,
    case prokind when 'p' then 'procedure' when 'a' then 'aggregate' when 'w' then 'window function' else 'function' end as kind,
    case when prosecdef then 'definer' else 'invoker' end as security,
    array(
      select role.oid from unnest($2::oid[]) as role (oid)
      where has_schema_privilege(role.oid, pronamespace, 'usage') and has_function_privilege(role.oid, pg_proc.oid, 'execute')
    ) as roles
  from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
  where pronamespace = any ($1::oid[]) and not ${isOfAnExtension('pg_proc')}
  order by nspname collate "C", proname collate "C", pg_get_function_identity_arguments(pg_proc.oid) collate "C"`
