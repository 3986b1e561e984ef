import type pg from 'pg'
import { readableSettings } from './roll-back.ts'

/** No statement takes longer: what it asks of the catalog takes milliseconds, unless the server is in trouble. */
const STATEMENT_TIMEOUT = '30s'

/** What holds a lock on a table that somebody alters is not waited for. */
const LOCK_TIMEOUT = '2s'

/**
 * Works in a transaction that reads, and sees one moment of the database. Nothing that stands in a schema can stand in for
 * what is asked (CVE-2018-1058), and what the catalog prints says its schema.
 */
export async function inReadOnly<T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query('begin transaction isolation level repeatable read, read only')
  try {
    await client.query(
      `set local search_path = pg_catalog, pg_temp; set local statement_timeout = '${STATEMENT_TIMEOUT}';
       set local lock_timeout = '${LOCK_TIMEOUT}'; set local idle_in_transaction_session_timeout = '2min'; ${readableSettings}`,
    )
    return await work()
  } finally {
    await client.query('rollback')
  }
}
