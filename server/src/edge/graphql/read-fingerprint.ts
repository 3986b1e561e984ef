import type { Statement } from '../../ground/database/pipeline.ts'
import type { Database } from '../../ground/database/pool.ts'

/** Changes with every change of what is in some schemas, of grants and of comments on it. */
export async function readFingerprint(
  database: Database,
  schemas: readonly string[],
): Promise<string> {
  const [[row] = []] = await database.send(fingerprint(schemas))
  return String(row?.['fingerprint'])
}

/** `xmin` is the transaction that wrote a row of the catalog. */
const fingerprint = (schemas: readonly string[]): Statement => ({
  name: 'graphql_fingerprint',
  text: `
    with shown as (select oid from pg_namespace where nspname = any ($1)),
    relations as (select oid, reltype, xmin from pg_class where relnamespace in (select oid from shown)),
    written as (
      select xmin::text as by from relations
      union all select xmin::text from pg_namespace where oid in (select oid from shown)
      union all select xmin::text from pg_attribute where attrelid in (select oid from relations)
      union all select xmin::text from pg_constraint where connamespace in (select oid from shown)
      union all select xmin::text from pg_index where indrelid in (select oid from relations)
      union all select xmin::text from pg_proc where pronamespace in (select oid from shown)
      union all select xmin::text from pg_type where typnamespace in (select oid from shown)
      union all select xmin::text from pg_enum
      union all select xmin::text from pg_description where objoid in (
        select oid from relations union all select oid from pg_proc where pronamespace in (select oid from shown)
      )
      union all select xmin::text from pg_auth_members
    )
    select md5(string_agg(by, ' ' order by by)) as fingerprint from written`,
  values: [schemas],
})
