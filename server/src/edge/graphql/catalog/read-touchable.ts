import type { Database } from '../../../ground/database/pool.ts'
import type { DatabaseRole } from '../settings.ts'

/** What a database role may touch in some schemas. */
export interface Touchable {
  /** Tables by oid, with what the role may do: letters of r (select), a (insert), w (update) and d (delete). */
  tables: Readonly<Record<string, string>>
  /** Columns of these that the role may neither read nor write: `<oid of the table> <number>`. */
  closedColumns: readonly string[]
  /** The functions that it may execute: how a comment names each, by oid. */
  functions: Readonly<Record<string, string>>
  /** What else it may call: each as a comment names it. */
  others: readonly string[]
}

export async function readTouchable(
  database: Pick<Database, 'send'>,
  schemas: readonly string[],
  role: DatabaseRole,
): Promise<Touchable> {
  const [[row] = []] = await database.send({
    name: 'graphql_touchable',
    text: touchable,
    values: [schemas, role],
  })
  return row?.['touchable'] as Touchable
}

const touchable = `
  with shown as (
    select oid from pg_catalog.pg_namespace where nspname = any ($1) and pg_catalog.has_schema_privilege($2, oid, 'usage')
  ),
  tables as (
    select oid,
      case when pg_catalog.has_any_column_privilege($2, oid, 'select') then 'r' else '' end ||
      case when pg_catalog.has_any_column_privilege($2, oid, 'insert') then 'a' else '' end ||
      case when pg_catalog.has_any_column_privilege($2, oid, 'update') then 'w' else '' end ||
      case when pg_catalog.has_table_privilege($2, oid, 'delete') then 'd' else '' end as may
    from pg_catalog.pg_class
    where relnamespace in (select oid from shown) and relkind in ('r', 'v', 'm', 'f', 'p')
  ),
  closed as (
    select attrelid::text || ' ' || attnum as closed_column
    from pg_catalog.pg_attribute join tables on tables.oid = attrelid
    where may like 'r%' and attnum > 0 and not attisdropped
      and not pg_catalog.has_column_privilege($2, attrelid, attnum, 'select, insert, update')
  )
  select pg_catalog.json_build_object(
    'tables', (select coalesce(pg_catalog.json_object_agg(oid, may), '{}') from tables where may <> ''),
    'closedColumns', (select coalesce(pg_catalog.json_agg(closed_column), '[]') from closed),
    'functions', (
      select coalesce(pg_catalog.json_object_agg(oid, pg_catalog.format('%s.%I(%s)', pronamespace::regnamespace, proname,
        pg_catalog.pg_get_function_identity_arguments(oid))), '{}')
      from pg_catalog.pg_proc
      where pronamespace in (select oid from shown) and prokind = 'f' and pg_catalog.has_function_privilege($2, oid, 'execute')
    ),
    'others', (
      select coalesce(pg_catalog.json_agg(pg_catalog.format('%s %s.%I(%s)',
        case prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end, pronamespace::regnamespace,
        proname, pg_catalog.pg_get_function_identity_arguments(oid)) order by oid), '[]')
      from pg_catalog.pg_proc
      where pronamespace in (select oid from shown) and prokind <> 'f' and pg_catalog.has_function_privilege($2, oid, 'execute')
        and not exists (
          select from pg_catalog.pg_depend
          where classid = 'pg_catalog.pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e'
        )
    )
  ) as touchable`
