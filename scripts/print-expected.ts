/** Prints database/expected.json: what migrations make, statement by statement, for `pie doctor` to compare with. */
import type pg from 'pg'
import { askingAsOwner } from '../server/src/features/operations/doctor/asking.ts'
import { readCatalog } from '../server/src/features/operations/doctor/read-catalog.ts'

export async function printExpected(owner: pg.Client): Promise<string> {
  const { rows } = await owner.query<{ name: string }>('select session_user as name')
  const roles = { requests: 'cream', auth: 'pie_auth', owner: rows[0]?.name ?? '' }
  const entries = await askingAsOwner(owner, (ask) => readCatalog(ask, roles))
  // How it is taken away is for what is found; a partition is to be as its table is.
  const made = entries
    .filter(({ partition }) => partition === null)
    .map(({ kind, object, make }) => JSON.stringify({ kind, object, make }))
  return `[\n${made.join(',\n')}\n]\n`
}
