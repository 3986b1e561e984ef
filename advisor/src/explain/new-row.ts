import pg from 'pg'
import { attempt } from '../database/attempt.ts'
import { AdvisorError } from '../errors.ts'
import type { Table } from './find-table.ts'
import { readJson } from './read-json.ts'

/** What is to be written. */
export interface Values {
  /** As it was given. */
  json: string
  /** By column, each as text, for whoever reads the answer. */
  members: Record<string, string | null>
  /** By column, each as Postgres writes a value of its type. */
  literals: Record<string, string | null>
}

/** What `--set` or the `--row` of an insert gives. @throws AdvisorError for a column that is not there */
export async function readValues(
  owner: pg.ClientBase,
  table: Table,
  option: string,
  json: string,
): Promise<Values> {
  const members = await readJson(owner, option, json)
  const names = Object.keys(members)
  const given = table.columns.filter(({ name }) => names.includes(name))
  const unknown = names.find((name) => !given.some((column) => column.name === name))
  if (unknown !== undefined) throw new AdvisorError(`${table.name} has no column ${unknown}.`)
  if (given.length === 0) return { json, members, literals: {} }
  const { error, found } = await attempt(owner, () =>
    owner.query<Record<string, string | null>>(
      `select ${given.map(({ quoted }) => `given.${quoted}::text as ${quoted}`).join(', ')}
       from jsonb_to_record($1::jsonb) as given (${given.map(({ quoted, type }) => `${quoted} ${type}`).join(', ')})`,
      [json],
    ),
  )
  if (error !== null)
    throw new AdvisorError(`${option} does not fit the columns of ${table.name}: ${error.message}.`)
  return { json, members, literals: found.rows[0] ?? {} }
}

/**
 * The row as an update would leave it, as text. Triggers may change it further. Null where it cannot be made: a
 * domain that refuses the value.
 */
export async function changedRow(
  client: pg.ClientBase,
  table: Table,
  row: string,
  { json }: Values,
): Promise<string | null> {
  const { found } = await attempt(client, () =>
    client.query<{ content: string }>(
      `select jsonb_populate_record($1::${table.name}, $2::jsonb)::text as content`,
      [row, json],
    ),
  )
  const changed = found?.rows[0]?.content
  return changed === undefined ? null : withGenerated(client, table, changed)
}

/**
 * The row as an insert would make it, as text, with the defaults that the user gets. Numbers of sequences
 * are left null: no rollback would give one back. Null where it cannot be made: a domain without null.
 */
export async function insertedRow(
  client: pg.ClientBase,
  table: Table,
  literals: Values['literals'],
): Promise<string | null> {
  const values: (string | null)[] = []
  const build = (withDefaults: boolean) => {
    values.length = 0
    const fields = table.columns.map(({ name, type, default_expression }) => {
      if (name in literals) return `$${values.push(literals[name] ?? null)}::${type}`
      return `${withDefaults && default_expression !== null ? `(${default_expression})` : 'null'}::${type}`
    })
    return client.query<{ content: string }>(
      `select row(${fields.join(', ')})::${table.name}::text as content`,
      values,
    )
  }
  // A default that the user may not compute fails the insert too, and that is said when it is tried.
  const { found } = await attempt(client, () => build(true))
  const { found: bare } = found === null ? await attempt(client, () => build(false)) : { found }
  const row = bare?.rows[0]?.content
  return row === undefined ? null : withGenerated(client, table, row)
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
