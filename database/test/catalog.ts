/**
 * What the catalog says of Pie's schemas beyond what `pie lint` asks of every schema: Pie's own grants, and
 * rules for Pie alone. Each answers with the names of what it finds.
 */
import type pg from 'pg'

type Find = (client: pg.ClientBase) => Promise<string[]>

const find =
  (sql: string): Find =>
  async (client) => {
    const { rows } = await client.query<{ name: string }>(sql)
    return rows.map(({ name }) => name)
  }

const schemas = `('pie_schema', 'pie_private', 'pie_hooks')`

const tables = `
  select pg_class.*, format('%I.%I', nspname, relname) as name
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where nspname in ${schemas} and relkind in ('r', 'p', 'v', 'm', 'f')`

const functions = `
  select pg_proc.*, format('%I.%I(%s)', nspname, proname, oidvectortypes(proargtypes)) as name
  from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
  where nspname in ${schemas}`

export const listTables = find(`select name from (${tables}) as t order by 1`)

/**
 * Stricter than pie lint, which asks it of security definer functions, and takes any path with pg_temp last.
 * Without a path of its own, a function resolves names where its caller says. Where pg_temp is not
 * named in the path, it is searched before everything else, pg_catalog included.
 */
export const findFunctionsWithoutSafeSearchPath = find(`
  select name from (${functions}) as f
  where not coalesce(
    (select bool_or(setting = 'search_path=pg_catalog, pg_temp') from unnest(proconfig) as setting), false
  ) order by 1`)

/** Every right on a table or column that anybody but the owner has: "webuser update users.name". */
export const listTableGrants = find(
  `
  select format('%s %s %s%s', coalesce(grantee::regrole::text, 'public'), lower(privilege_type), name, suffix) as name
  from (
    select t.name, '' as suffix, relowner as owner, aclexplode(relacl) as grant
    from (${tables}) as t
    union all
    select t.name, '.' || attname, relowner, aclexplode(attacl)
    from (${tables}) as t join pg_attribute on attrelid = t.oid
  ) as granted, lateral (select (granted.grant).*) as details
  where grantee <> owner
  order by 1`.replaceAll('grantee::regrole', 'nullif(grantee, 0)::regrole'),
)

/** Who may execute what, beside the owner: "cream pie_private.authenticate(uuid, bytea)". */
export const listFunctionGrants = find(`
  select format('%s %s', coalesce(nullif(grantee, 0)::regrole::text, 'public'), name) as name
  from (${functions}) as f, aclexplode(coalesce(proacl, acldefault('f', proowner)))
  where grantee <> proowner
  order by 1`)

/** Tables that a role may both insert into and update, and so write to with `on conflict do update`. */
export const findInsertAndUpdate = find(`
  select rolname || ' ' || name as name from (${tables}) as t, pg_roles
  where rolname in ('webuser', 'webadmin', 'cream', 'pie_auth')
    and has_any_column_privilege(rolname, t.oid, 'insert')
    and has_any_column_privilege(rolname, t.oid, 'update')
  order by 1`)
