import pg from 'pg'
import { attempt } from '../database/attempt.ts'
import type { Action, Question, Reach } from './explanation.ts'
import type { Table } from './find-table.ts'

const MOST_ROWS = 10_000

/** How many rows the user reaches with an action, counted as the user, and of how many. */
export async function countReach(
  client: pg.ClientBase,
  table: Table,
  action: Action,
  questions: readonly Question[],
  role: string,
): Promise<Reach> {
  // What may be seen, Postgres itself adds; what may be changed of it is asked here, to change nothing.
  const changing = questions.find(
    ({ command, part }) => command === action && part === 'using' && action !== 'select',
  )
  const rows = await count(client, table, changing === undefined ? 'true' : conditionOf(changing))
  await client.query('set local role none')
  const all = table.binds_owner ? null : await count(client, table, 'true')
  await client.query(`select set_config('role', $1, true)`, [role])
  return { most: MOST_ROWS, rows, of: all }
}

function conditionOf({ policies }: Question): string {
  const permissive = policies.filter(({ is_restrictive }) => !is_restrictive)
  const restrictive = policies.filter(({ is_restrictive }) => is_restrictive)
  const anyOf = permissive.map(({ expression }) => `(${expression})`).join(' or ') || 'false'
  return [`(${anyOf})`, ...restrictive.map(({ expression }) => `(${expression})`)].join(' and ')
}

/** One more than the most, when there are more. */
async function count(
  client: pg.ClientBase,
  { name, relation }: Table,
  condition: string,
): Promise<number | null> {
  const { found } = await attempt(client, () =>
    client.query<{ rows: number }>(
      `select count(*)::int as rows from (
         select from ${name} as ${pg.escapeIdentifier(relation)} where ${condition} limit ${MOST_ROWS + 1}
       ) as reached`,
    ),
  )
  return found?.rows[0]?.rows ?? null
}
