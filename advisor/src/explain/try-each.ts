import pg from 'pg'
import { attempt } from '../database/attempt.ts'
import type { Granted } from './check-grants.ts'
import type { Action } from './explanation.ts'
import type { Table } from './find-table.ts'
import { placeholderColumn } from './statement-for.ts'
import { runStatement } from './try-statement.ts'

const MOST_TRIED = 20

/**
 * One row after the other, where all at once fails: a constraint on one row says nothing of the others. Only
 * rows that can be found by their key.
 */
export async function tryEach(
  client: pg.ClientBase,
  action: Action,
  table: Table,
  granted: Granted,
): Promise<{ tried: number; done: number }> {
  const key = table.columns.filter(({ is_key }) => is_key)
  if (key.length === 0 || key.some(({ name }) => !granted.readable.includes(name)))
    return { tried: 0, done: 0 }
  const texts = key.map(({ quoted: name }) => `${name}::text`).join(', ')
  const { found } = await attempt(client, () =>
    client.query<{ values: string[] }>(
      `select array[${texts}] as values from ${table.name} limit ${MOST_TRIED}`,
    ),
  )
  const where = key.map(({ quoted: name }, index) => `${name} = $${index + 1}`).join(' and ')
  const name = pg.escapeIdentifier(placeholderColumn(table, granted))
  const own = granted.readable.includes(placeholderColumn(table, granted)) ? name : 'default'
  const change =
    action === 'delete' ? `delete from ${table.name}` : `update ${table.name} set ${name} = ${own}`
  let done = 0
  for (const { values } of found?.rows ?? []) {
    const { rows } = await runStatement(client, { text: `${change} where ${where}`, values })
    done += rows ?? 0
  }
  return { tried: found?.rows.length ?? 0, done }
}
