import pg from 'pg'
import { attempt } from '../database/attempt.ts'
import type { Granted } from './check-grants.ts'
import { asOwner } from './count-rows.ts'
import type { Action } from './explanation.ts'
import { quoted as listed, type Table } from './find-table.ts'
import { placeholderColumn } from './statement-for.ts'
import { runStatement } from './try-statement.ts'
import { valueFor } from './try-table.ts'

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
  role: string,
): Promise<{ tried: number; done: number }> {
  const key = table.columns.filter(({ is_key }) => is_key)
  if (key.length === 0 || key.some(({ name }) => !granted.readable.includes(name)))
    return { tried: 0, done: 0 }
  const texts = key.map(({ quoted }) => `${quoted}::text`).join(', ')
  const { found } = await attempt(client, () =>
    client.query<{ values: string[] }>(
      `select array[${texts}] as values from ${table.name} limit ${MOST_TRIED}`,
    ),
  )
  const where = key.map(({ quoted }, index) => `${quoted} = $${index + 1}`).join(' and ')
  const column = placeholderColumn(table, granted)
  const name = pg.escapeIdentifier(column)
  const isReadable = granted.readable.includes(column)
  const set = isReadable ? name : `$${key.length + 1}`
  const change =
    action === 'delete' ? `delete from ${table.name}` : `update ${table.name} set ${name} = ${set}`
  const more =
    action === 'delete' || isReadable ? [] : [await valueFor(client, table, granted, role)]
  let done = 0
  for (const { values } of found?.rows ?? []) {
    const text = `${change} where ${where}`
    const { rows } = await runStatement(client, { text, values: [...values, ...more] })
    done += rows ?? 0
  }
  return { tried: found?.rows.length ?? 0, done }
}

/** The same of reading: a policy that fails on one row hides no other that is asked for by its key. */
export async function readEach(
  client: pg.ClientBase,
  table: Table,
  granted: Granted,
  role: string,
): Promise<{ tried: number; done: number }> {
  const key = table.columns.filter(({ is_key }) => is_key)
  if (key.length === 0 || key.some(({ name }) => !granted.readable.includes(name)))
    return { tried: 0, done: 0 }
  const texts = key.map(({ quoted }) => `${quoted}::text`).join(', ')
  const { found } = await asOwner(client, role, () =>
    attempt(client, () =>
      client.query<{ values: string[] }>(
        `select array[${texts}] as values from ${table.name} limit ${MOST_TRIED}`,
      ),
    ),
  )
  const where = key.map(({ quoted, type }, index) => `${quoted} = $${index + 1}::${type}`)
  const text = `select ${listed(granted.readable)} from ${table.name} where ${where.join(' and ')}`
  let done = 0
  for (const { values } of found?.rows ?? [])
    done += (await runStatement(client, { text, values })).rows ?? 0
  return { tried: found?.rows.length ?? 0, done }
}
