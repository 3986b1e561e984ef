import pg from 'pg'
import { AdvisorError } from '../errors.ts'
import type { Table } from './find-table.ts'
import { readJson } from './read-json.ts'

export type Key = Record<string, string | null>

/**
 * What `--row` names: the primary key, by column, each as text; where there is none, columns that only one
 * row has so.
 * @param given the value, or JSON for several columns
 */
export async function readKey(owner: pg.ClientBase, table: Table, given: string): Promise<Key> {
  const names = keyOf(table)
  const [only] = names
  const isObject = given.trimStart().startsWith('{')
  if (only === undefined && !isObject)
    throw new AdvisorError(
      `${table.name} has no primary key to name a row by. Name it by columns that no other row has so, --row '{"${table.columns[0]?.name ?? 'column'}": "…"}', or leave --row out.`,
    )
  if (only !== undefined && names.length === 1 && !isObject) return { [only]: given }
  const key = await readJson(owner, '--row', given)
  if (only === undefined) return knownColumns(table, key)
  const isKey = names.length === Object.keys(key).length && names.every((name) => name in key)
  if (!isKey) {
    const example = JSON.stringify(Object.fromEntries(names.map((name) => [name, '…'])))
    throw new AdvisorError(
      `The primary key of ${table.name} is ${names.join(', ')}: --row '${example}'`,
    )
  }
  return key
}

function knownColumns({ name, columns }: Table, key: Key): Key {
  const unknown = Object.keys(key).find((given) => !columns.some((column) => column.name === given))
  if (unknown !== undefined) throw new AdvisorError(`${name} has no column ${unknown}.`)
  if (Object.keys(key).length === 0)
    throw new AdvisorError(`--row '{}' names no row of ${name}: give it columns.`)
  return key
}

const keyOf = ({ columns }: Table): string[] =>
  columns.filter(({ is_key }) => is_key).map(({ name }) => name)

/** The columns that a row is found by: those of the primary key, or those that were given. */
export function foundBy(table: Table, key: Key | null): string[] {
  const names = keyOf(table)
  return names.length > 0 ? names : Object.keys(key ?? {})
}

/** A condition on the key as an application writes it, whose values follow `before` other parameters. */
export function keyCondition(table: Table, key: Key, before = 0): string {
  return foundBy(table, key)
    .map((name, index) => {
      // What is not said to be of a row's type, Postgres would take for a row of any.
      const { is_composite = false, type = '' } =
        table.columns.find((column) => column.name === name) ?? {}
      return `${pg.escapeIdentifier(name)} = $${before + index + 1}${is_composite ? `::${type}` : ''}`
    })
    .join(' and ')
}

export const keyValues = (table: Table, key: Key): (string | null)[] =>
  foundBy(table, key).map((name) => key[name] ?? null)

/**
 * The row as the owner sees it, as text, which Postgres reads back as exactly this row.
 * @returns null when there is none
 */
export async function findRow(
  owner: pg.ClientBase,
  table: Table,
  key: Key,
): Promise<string | null> {
  const names = foundBy(table, key)
  const condition = table.columns
    .filter(({ name }) => names.includes(name))
    .map(
      ({ quoted, type, equals, name }) =>
        `${quoted} ${equals} $${names.indexOf(name) + 1}::${type}`,
    )
    .join(' and ')
  const { rows } = await owner
    .query<{ content: string }>(
      `select ("the row".*)::text as content from ${table.name} as "the row" where ${condition} limit 2`,
      keyValues(table, key),
    )
    .catch((cause: pg.DatabaseError) => {
      throw new AdvisorError(
        cause.code === '42501'
          ? `${table.name} belongs to ${table.owner}, and the role that connects may not read it: ${cause.message}.`
          : `Could not look for this row of ${table.name}: ${cause.message}.`,
        { cause },
      )
    })
  if (rows.length > 1)
    throw new AdvisorError(
      `More than one row of ${table.name} has ${names.join(', ')} so: add columns until it is one.`,
    )
  const content = rows[0]?.content ?? null
  if (content === null && table.binds_owner)
    throw new AdvisorError(
      `The role that connects sees no such row of ${table.name}, but row-level security binds it too, so there may be one. ` +
        `Let it see all: create policy ${pg.escapeIdentifier(`${table.relation}_for_owner`)} on ${table.name} to ${pg.escapeIdentifier(table.owner)} using (true) with check (true)`,
    )
  return content
}
