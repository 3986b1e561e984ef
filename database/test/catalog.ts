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

/**
 * Functions in language sql that are on a request's way though Postgres cannot inline them: before 18, each
 * statement that calls one plans it anew. On its way is what a role of requests may execute, what a policy, a
 * view, a trigger, a default or a constraint calls, and what a function calls that is itself on it. The
 * conditions are those of inline_function and inline_set_returning_function in Postgres' clauses.c; a body that
 * asks a table is no expression, and so only inlined where it returns a set.
 */
export const findFunctionsPlannedAtEachCall = find(`
  with recursive functions as (
    select f.*, coalesce(pg_get_function_sqlbody(f.oid), prosrc) as body, format('%I.%I(', nspname, proname) as called
    from (${functions}) as f join pg_namespace on pg_namespace.oid = pronamespace
  ), reached as (
    select oid, body from functions
    where exists (
        select from aclexplode(coalesce(proacl, acldefault('f', proowner))) where grantee <> proowner
      ) or exists (
        select from pg_depend
        where refclassid = 'pg_proc'::regclass and refobjid = functions.oid and classid in (
          'pg_policy'::regclass, 'pg_rewrite'::regclass, 'pg_trigger'::regclass, 'pg_attrdef'::regclass, 'pg_constraint'::regclass
        )
      )
    union
    select functions.oid, functions.body
    from reached join functions on strpos(reached.body, functions.called) > 0
  )
  select name from functions
  where oid in (select reached.oid from reached)
    and prolang = (select oid from pg_language where lanname = 'sql')
    and (
      prosecdef or proconfig is not null or prorettype = 'void'::regtype
      or case
        when proretset then provolatile = 'v' or proisstrict
        else body ~* '\\y(from|insert|update|delete|merge|exists)\\y'
      end
    )
  order by 1`)
