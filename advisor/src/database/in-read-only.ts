import pg from 'pg'
import { AdvisorError } from '../errors.ts'
import { bareSettings, readableSettings } from './roll-back.ts'

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
       set local lock_timeout = '${LOCK_TIMEOUT}'; set local idle_in_transaction_session_timeout = '2min'; ${readableSettings};
       ${bareSettings('transaction')}`,
    )
    return await work()
  } catch (cause) {
    throw inWords(cause)
  } finally {
    await client.query('rollback')
  }
}

/** What the server's state is to blame for; whoever asked can do nothing but ask again. */
function inWords(cause: unknown): unknown {
  if (!(cause instanceof pg.DatabaseError)) return cause
  if (cause.code === '55P03')
    return new AdvisorError(
      `Somebody holds a lock on what is to be read for longer than ${LOCK_TIMEOUT}: a migration that is under way, most likely. ` +
        'Run this again when it is done.',
      { cause },
    )
  if (cause.code === '57014')
    return new AdvisorError(
      `A question of the catalog took longer than ${STATEMENT_TIMEOUT}, or somebody canceled it: ${cause.message}. ` +
        'The server is busy, or the database very large. Run this again.',
      { cause },
    )
  return cause
}
