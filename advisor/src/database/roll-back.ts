import type pg from 'pg'

/** How long a statement waits for somebody else's lock: an operator's question should not stand in a queue. */
const LOCK_TIMEOUT = '5s'

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
       set local search_path = pg_catalog, pg_temp; set local lock_timeout = '${LOCK_TIMEOUT}'; set local row_security = on`,
    )
    return await work()
  } finally {
    await owner.query('rollback')
  }
}
