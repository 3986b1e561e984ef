import type pg from 'pg'

/**
 * Reads the catalog in a transaction with nothing but pg_catalog on the search path: expressions then print
 * with the schema of everything that they name.
 */
export async function withPlainSearchPath<T>(
  owner: pg.ClientBase,
  work: () => Promise<T>,
): Promise<T> {
  const { rows } = await owner.query<{ path: string }>(
    `select current_setting('search_path') as path, set_config('search_path', 'pg_catalog, pg_temp', true)`,
  )
  const found = await work()
  await owner.query(`select set_config('search_path', $1, true)`, [rows[0]?.path])
  return found
}
