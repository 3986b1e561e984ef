import type { Statement } from '../../../ground/database/pipeline.ts'
import type { Database } from '../../../ground/database/pool.ts'

/**
 * Changes with every change of what is in some schemas, of grants and of comments on it; and of what is in others, where
 * columns, arguments and results have types of these.
 */
export async function readFingerprint(
  database: Database,
  schemas: readonly string[],
): Promise<string> {
  const [[row] = []] = await database.send(fingerprint(schemas))
  return String(row?.['fingerprint'])
}

/**
 * `xmin` is the transaction that wrote a row of the catalog. Rows of pg_class are also written by truncating, refreshing and
 * rewriting a table: of them it is what they say. Partitions that nobody has been granted come and go.
 */
const fingerprint = (schemas: readonly string[]): Statement => ({
  name: 'graphql_fingerprint',
  text: `
    with recursive reached (oid) as (
      select oid from pg_catalog.pg_namespace where nspname = any ($1)
      union
      select type.typnamespace
      from reached
      cross join lateral (
        select attribute.atttypid as oid
        from pg_catalog.pg_class as relation join pg_catalog.pg_attribute as attribute on attribute.attrelid = relation.oid
        where relation.relnamespace = reached.oid and relation.relkind in ('r', 'v', 'm', 'f', 'p', 'c')
          and not relation.relispartition and attribute.attnum > 0
        union select prorettype from pg_catalog.pg_proc where pronamespace = reached.oid
        union select pg_catalog.unnest(coalesce(proallargtypes, proargtypes::oid[]))
          from pg_catalog.pg_proc where pronamespace = reached.oid
        union select typbasetype from pg_catalog.pg_type where typnamespace = reached.oid and typtype = 'd'
        union select rngsubtype
          from pg_catalog.pg_range join pg_catalog.pg_type on pg_type.oid = rngtypid where typnamespace = reached.oid
      ) as used
      join pg_catalog.pg_type as type on type.oid = used.oid
      where type.typnamespace not in ('pg_catalog'::pg_catalog.regnamespace, 'information_schema'::pg_catalog.regnamespace)
    ),
    shown as (select oid, xmin, nspname from pg_catalog.pg_namespace where oid in (select oid from reached)),
    relations as (
      select oid, pg_catalog.concat_ws(' ', oid, relname, relkind, relacl, relhastriggers, relhasrules, relispartition) as says
      from pg_catalog.pg_class
      where relnamespace in (select oid from shown) and relkind in ('r', 'v', 'm', 'f', 'p', 'c')
        and (not relispartition or relacl is not null)
    ),
    procs as (select oid, xmin from pg_catalog.pg_proc where pronamespace in (select oid from shown)),
    types as (select oid, xmin from pg_catalog.pg_type where typnamespace in (select oid from shown) and typtype in ('e', 'd', 'r')),
    written as (
      select says as by from relations
      union all select nspname || ' ' || xmin::text from shown
      union all select xmin::text from pg_catalog.pg_attribute where attrelid in (select oid from relations)
      union all select xmin::text from pg_catalog.pg_constraint where conrelid in (select oid from relations)
      union all select xmin::text from pg_catalog.pg_index where indrelid in (select oid from relations)
      union all select xmin::text from procs
      union all select xmin::text from types
      union all select xmin::text from pg_catalog.pg_enum
      union all select xmin::text from pg_catalog.pg_description where objoid in (
        select oid from relations union all select oid from procs union all select oid from types
        union all select oid from pg_catalog.pg_constraint where conrelid in (select oid from relations)
      )
      union all select xmin::text from pg_catalog.pg_auth_members
    )
    select pg_catalog.md5(pg_catalog.string_agg(by, ' ' order by by)) as fingerprint from written`,
  values: [schemas],
})
