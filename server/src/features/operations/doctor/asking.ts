import type pg from 'pg'
import type { Database } from '../../../ground/database/pool.ts'
import type { Ask } from './finding.ts'

/** Nothing that stands in another schema can stand in for what a question names, operators included (CVE-2018-1058). */
const PLAIN = 'pg_catalog, pg_temp'

/** Asks as the owner, in a transaction that is rolled back. */
export async function askingAsOwner<T>(
  owner: pg.ClientBase,
  work: (ask: Ask) => Promise<T>,
): Promise<T> {
  await owner.query('begin transaction isolation level repeatable read, read only')
  try {
    await owner.query(`set local search_path = ${PLAIN}`)
    return await work(async (text, values = []) => (await owner.query(text, [...values])).rows)
  } finally {
    await owner.query('rollback')
  }
}

/** Asks as a login role, one transaction for each question. */
export const askingAsLogin =
  (database: Pick<Database, 'send'>): Ask =>
  async (text, values = []) => {
    const plain = { name: '', text: "select set_config('search_path', $1, true)", values: [PLAIN] }
    const [, rows = []] = await database.send(plain, { name: '', text, values })
    return rows
  }
