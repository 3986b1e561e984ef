import pg from 'pg'
import { attempt } from '../database/attempt.ts'
import { AdvisorError } from '../errors.ts'
import type { Table } from './find-table.ts'
import { readJson } from './read-json.ts'

/** What is to be written. */
export interface Values {
  /** As it was given. */
  json: string
  /** By column, each as text. */
  members: Record<string, string | null>
}

/** What `--set` or the `--row` of an insert gives. @throws AdvisorError for a column that is not there */
export async function readValues(
  owner: pg.ClientBase,
  table: Table,
  option: string,
  json: string,
): Promise<Values> {
  const members = await readJson(owner, option, json)
  const unknown = Object.keys(members).find(
    (name) => !table.columns.some((column) => column.name === name),
  )
  if (unknown !== undefined) throw new AdvisorError(`${table.name} has no column ${unknown}.`)
  const { error } = await attempt(owner, () =>
    owner.query(`select jsonb_populate_record(null::${table.name}, $1::jsonb)`, [json]),
  )
  if (error !== null)
    throw new AdvisorError(`${option} does not fit the columns of ${table.name}: ${error.message}.`)
  return { json, members }
}

/** The row as an update would leave it, as text. Triggers may change it further. */
export async function changedRow(
  client: pg.ClientBase,
  table: Table,
  row: string,
  { json }: Values,
): Promise<string> {
  const { rows } = await client.query<{ content: string }>(
    `select jsonb_populate_record($1::${table.name}, $2::jsonb)::text as content`,
    [row, json],
  )
  return withGenerated(client, table, rows[0]?.content ?? row)
}

/**
 * The row as an insert would make it, as text, with the defaults that the user gets. Numbers of sequences
 * are left null: no rollback would give one back.
 */
export async function insertedRow(
  client: pg.ClientBase,
  table: Table,
  { json, members }: Values,
): Promise<string> {
  const build = (withDefaults: boolean) => {
    const fields = table.columns.map(({ name, type, default_expression }) => {
      if (name in members) return `given.${pg.escapeIdentifier(name)}`
      return `${withDefaults && default_expression !== null ? `(${default_expression})` : 'null'}::${type}`
    })
    return client.query<{ content: string }>(
      `select row(${fields.join(', ')})::${table.name}::text as content
       from jsonb_populate_record(null::${table.name}, $1::jsonb) as given`,
      [json],
    )
  }
  // A default that the user may not compute fails the insert too, and that is said when it is tried.
  const { found } = await attempt(client, () => build(true))
  const row = (found ?? (await build(false))).rows[0]?.content ?? ''
  return withGenerated(client, table, row)
}

/** The row with its generated columns computed anew. */
async function withGenerated(client: pg.ClientBase, table: Table, row: string): Promise<string> {
  if (table.columns.every(({ generation_expression }) => generation_expression === null)) return row
  const fields = table.columns.map(({ quoted, type, generation_expression }) =>
    generation_expression === null ? quoted : `(${generation_expression})::${type}`,
  )
  const { found } = await attempt(client, () =>
    client.query<{ content: string }>(
      `select row(${fields.join(', ')})::${table.name}::text as content
       from unnest(array[$1::${table.name}]) as ${pg.escapeIdentifier(table.relation)}`,
      [row],
    ),
  )
  return found?.rows[0]?.content ?? row
}
