import type pg from 'pg'
import type { Expression } from '../catalog/catalog.ts'
import { expressionOf, isOfPostgres } from '../catalog/reading.ts'

/** What exposure asks of the catalog that nothing else does. */
export interface Particulars {
  /** Of rewrite rules, by oid. */
  rules: ReadonlyMap<number, { isEnabled: boolean; condition: Expression | null }>
  /** What columns are filled with, by relation and column number. `isGenerated` where it is computed from the row. */
  defaults: ReadonlyMap<number, ReadonlyMap<number, Expression>>
  /** Views `with check option`. */
  checked: ReadonlyMap<number, 'local' | 'cascaded'>
  /** How functions are called and what they return, as Postgres prints it. */
  functions: ReadonlyMap<number, { signature: string; returns: string | null }>
  /** What views and materialized views read, as Postgres prints it. */
  views: ReadonlyMap<number, string>
  largeObjects: { owner: number; acl: string[]; count: number; first: number }[]
  unseen: string[]
}

/** @param asked the schemas whose functions are shown */
export async function readParticulars(
  client: pg.ClientBase,
  asked: readonly string[],
): Promise<Particulars> {
  const read = async <Row>(sql: string, ...values: unknown[]) =>
    (await client.query(sql, values)).rows as Row[]
  const ofOthers = `join pg_namespace as n on n.oid = relnamespace and not ${isOfPostgres('nspname')}`
  const rules = await read<{ oid: number; isEnabled: boolean; tree: string | null }>(`
    select r.oid, ev_enabled in ('O', 'A') as "isEnabled", nullif(ev_qual::text, '<>') as tree
    from pg_rewrite as r join pg_class as c on c.oid = ev_class ${ofOthers} where ev_type <> '1'`)
  const filled = await read<{ relation: number; column: number; tree: string }>(`
    select adrelid as relation, adnum as column, adbin::text as tree
    from pg_attrdef join pg_class as c on c.oid = adrelid ${ofOthers} order by adrelid, adnum`)
  const checked = await read<{ oid: number; option: 'local' | 'cascaded' }>(`
    select c.oid, option_value as option from pg_class as c, pg_options_to_table(reloptions)
    where relkind = 'v' and reloptions is not null and option_name = 'check_option'`)
  const views = await read<{ oid: number; text: string }>(
    `select c.oid, pg_get_viewdef(c.oid) as text from pg_class as c ${ofOthers} where relkind in ('v', 'm')`,
  )
  const functions = await read<{ oid: number; signature: string; returns: string | null }>(
    `select f.oid, format('%I(%s)', proname, pg_get_function_identity_arguments(f.oid)) as signature,
       pg_get_function_result(f.oid) as returns
     from pg_proc as f join pg_namespace as n on n.oid = pronamespace
     where nspname = any ($1)
       or nspname = 'pg_catalog' and proacl is not null and not has_function_privilege('public', f.oid, 'execute')`,
    asked,
  )
  const defaults = new Map<number, Map<number, Expression>>()
  for (const { relation, column, tree } of filled) {
    const expression = expressionOf(null, tree)
    if (expression === null) continue
    const of = defaults.get(relation) ?? new Map<number, Expression>()
    defaults.set(relation, of.set(column, expression))
  }
  return {
    rules: new Map(
      rules.map(({ oid, isEnabled, tree }) => [
        oid,
        { isEnabled, condition: expressionOf(null, tree) },
      ]),
    ),
    defaults,
    checked: new Map(checked.map(({ oid, option }) => [oid, option])),
    views: new Map(views.map(({ oid, text }) => [oid, text])),
    functions: new Map(functions.map(({ oid, ...described }) => [oid, described])),
    ...(await readLargeObjects(client)),
  }
}

/** Many may be there, of few owners and granted alike. */
async function readLargeObjects(
  client: pg.ClientBase,
): Promise<Pick<Particulars, 'largeObjects' | 'unseen'>> {
  const { rows } = await client.query<{ sees: boolean; past: boolean }>(
    `select has_table_privilege('pg_largeobject_metadata', 'select') as sees, current_setting('lo_compat_privileges')::boolean as past`,
  )
  const unseen = rows[0]?.past
    ? ['lo_compat_privileges is on: everybody reads and writes every large object']
    : []
  if (rows[0]?.sees !== true)
    return {
      largeObjects: [],
      unseen: [...unseen, 'large objects, without select on pg_largeobject_metadata'],
    }
  const { rows: largeObjects } = await client.query<Particulars['largeObjects'][number]>(`
    select lomowner as owner, acl::text[] as acl, count(*)::int4 as count, min(oid::int8)::float8 as first
    from pg_largeobject_metadata, coalesce(lomacl, acldefault('L', lomowner)) as acl
    group by lomowner, acl order by min(oid::int8)`)
  return { largeObjects, unseen }
}
