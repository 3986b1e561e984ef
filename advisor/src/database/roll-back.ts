import type pg from 'pg'

/** How long a statement waits for somebody else's lock: an operator's question should not stand in a queue. */
const LOCK_TIMEOUT = '5s'

/** Works in a transaction of which nothing is kept, whatever becomes of the work. */
export async function rollBack<T>(owner: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await owner.query('begin')
  try {
    await owner.query(`set local lock_timeout = '${LOCK_TIMEOUT}'; set local row_security = on`)
    return await work()
  } finally {
    await owner.query('rollback')
  }
}
