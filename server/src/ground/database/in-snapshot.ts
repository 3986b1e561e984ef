import type pg from 'pg'

/**
 * Reads in one state of the database, whatever is written meanwhile. Others may read in the same state
 * by its name until the work is done.
 */
export async function inSnapshot<T>(
  owner: pg.Client,
  work: (snapshot: string) => Promise<T>,
): Promise<T> {
  await owner.query('begin transaction isolation level repeatable read, read only')
  try {
    // The work may take long, and this connection waits for it.
    await owner.query('set local idle_in_transaction_session_timeout = 0')
    const { rows } = await owner.query<{ name: string }>('select pg_export_snapshot() as name')
    return await work(rows[0]?.name ?? '')
  } finally {
    await owner.query('rollback').catch(() => {})
  }
}
