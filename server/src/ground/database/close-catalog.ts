import type pg from 'pg'

/**
 * What Postgres gives to everybody, and SQL that got in through a hole would use for longer than its transaction, or against
 * the requests of others: files in the database, and the end of other connections of the same role.
 */
const outlasting = [
  'lo_creat(integer)',
  'lo_create(oid)',
  'lo_from_bytea(oid, bytea)',
  'pg_cancel_backend(integer)',
  'pg_terminate_backend(integer, bigint)',
]

/** For a database in which there is nobody but Pie and its applications. To be called as a superuser. */
export async function closeCatalog(owner: pg.Client): Promise<void> {
  const { rows } = await owner.query<{ function: string }>(
    `select pg_proc.oid::pg_catalog.regprocedure::text as function from pg_catalog.pg_proc
     where pg_proc.oid = any ($1::pg_catalog.regprocedure[])
       and exists (
         select from pg_catalog.aclexplode(coalesce(proacl, pg_catalog.acldefault('f', proowner))) as given
         where given.grantee = 0
       )`,
    [outlasting.map((name) => `pg_catalog.${name}`)],
  )
  for (const { function: name } of rows)
    await owner.query(`revoke execute on function pg_catalog.${name} from public`)
}
