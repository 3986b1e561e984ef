import type { Statement } from '../../../ground/database/pipeline.ts'
import type { Database } from '../../../ground/database/pool.ts'

/** Changes with every change of what is in some schemas, of grants and of comments on it. */
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
    with shown as (select oid, xmin, nspname from pg_catalog.pg_namespace where nspname = any ($1)),
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
