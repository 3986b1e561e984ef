import type pg from 'pg'

/** How long a statement waits for somebody else's lock: an operator's question should not stand in a queue. */
const LOCK_TIMEOUT = '5s'

/** What the catalog's definitions, and the comparisons with them, are written by; a database or a role may have others. */
export const readableSettings = Object.entries({
  quote_all_identifiers: 'off',
  standard_conforming_strings: 'on',
  transform_null_equals: 'off',
  array_nulls: 'on',
  bytea_output: 'hex',
  datestyle: 'ISO',
})
  .map(([name, value]) => `set local ${name} = '${value}'`)
  .join('; ')

/**
 * Where a role or the database has a limit for a whole transaction (17), it would end the connection in the middle. And
 * a database that knows no encoding holds bytes that are none of the client's: they are taken as they are.
 */
export const bareSettings = (until: 'transaction' | 'session'): string => `
  select pg_catalog.set_config('transaction_timeout', '0', ${until === 'transaction'})
  where pg_catalog.current_setting('transaction_timeout', true) is not null;
  select pg_catalog.set_config('client_encoding', 'SQL_ASCII', ${until === 'transaction'})
  where pg_catalog.current_setting('server_encoding') operator(pg_catalog.=) 'SQL_ASCII'`

/**
 * Works in a transaction of which nothing is kept, whatever becomes of the work. What the work itself asks finds
 * nothing but pg_catalog: a function or an operator that somebody has made in a schema on the path, with arguments that
 * fit better, would run as whoever asks (CVE-2018-1058). `attempt` has the path that was there.
 */
export async function rollBack<T>(owner: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await owner.query('begin')
  try {
    await owner.query(
      `select pg_catalog.set_config('advisor.search_path', pg_catalog.current_setting('search_path'), true);
       set local search_path = pg_catalog, pg_temp; set local lock_timeout = '${LOCK_TIMEOUT}'; set local row_security = on;
       ${readableSettings}; ${bareSettings('transaction')}`,
    )
    return await work()
  } finally {
    await owner.query('rollback')
  }
}
