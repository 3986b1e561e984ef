import pg from 'pg'

export type Attempt<T> = { error: null; found: T } | { error: pg.DatabaseError; found: null }

/**
 * Runs statements in a savepoint of which nothing is kept, their locks included, and returns what
 * Postgres answered or why it refused.
 *
 * @throws pg.DatabaseError where the refusal says nothing about the statement: a lock that could not be
 * had, a server that stops or is out of something
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

/**
 * Lock not available, out of resources, operator intervention. Not 08, 58 and XX: behind a foreign table, and in
 * extensions, they are what every client gets too. A statement that ran into its timeout is an answer as well.
 */
const isAboutTheServer = ({ code = '' }: pg.DatabaseError): boolean =>
  code === '55P03' || code.startsWith('53') || /^57P/.test(code)
