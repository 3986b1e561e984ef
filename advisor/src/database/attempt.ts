import pg from 'pg'

export type Attempt<T> = { error: null; found: T } | { error: pg.DatabaseError; found: null }

/**
 * Runs statements in a savepoint of which nothing is kept, their locks included, and returns what
 * Postgres answered or why it refused.
 *
 * @throws pg.DatabaseError where the refusal says nothing about the statement: a lock that could not be
 * had, a statement that was cancelled, a server that is out of something
 */
export async function attempt<T>(
  client: pg.ClientBase,
  work: () => Promise<T>,
): Promise<Attempt<T>> {
  await client.query('savepoint attempt')
  // As the application has it, whose functions may rely on it; the savepoint takes it back.
  await client.query(
    `select pg_catalog.set_config('search_path', pg_catalog.current_setting('advisor.search_path'), true)`,
  )
  try {
    return { error: null, found: await work() }
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || isAboutTheServer(error)) throw error
    return { error, found: null }
  } finally {
    await client.query('rollback to attempt; release attempt')
  }
}

/** Lock not available, connection lost, out of resources, operator intervention, system error. */
const isAboutTheServer = ({ code = '' }: pg.DatabaseError): boolean =>
  code === '55P03' || ['08', '53', '58', 'XX'].includes(code.slice(0, 2)) || /^57P/.test(code)
