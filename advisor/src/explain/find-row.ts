import pg from 'pg'
import { AdvisorError } from '../errors.ts'
import type { Table } from './find-table.ts'
import { readJson } from './read-json.ts'

export type Key = Record<string, string | null>

/**
 * What `--row` names: the primary key, by column, each as text.
 * @param given the value, or JSON for a key of several columns
 */
export async function readKey(owner: pg.ClientBase, table: Table, given: string): Promise<Key> {
  const names = table.columns.filter(({ is_key }) => is_key).map(({ name }) => name)
  const [only] = names
  if (only === undefined)
    throw new AdvisorError(`${table.name} has no primary key to name a row by. Leave --row out.`)
  if (names.length === 1 && !given.trimStart().startsWith('{')) return { [only]: given }
  const key = await readJson(owner, '--row', given)
  const isKey = names.length === Object.keys(key).length && names.every((name) => name in key)
  if (!isKey) {
    const example = JSON.stringify(Object.fromEntries(names.map((name) => [name, '…'])))
    throw new AdvisorError(
      `The primary key of ${table.name} is ${names.join(', ')}: --row '${example}'`,
    )
  }
  return key
}

/** A condition on the key, whose values follow `before` other parameters. */
export function keyCondition({ columns }: Table, before = 0): string {
  return columns
    .filter(({ is_key }) => is_key)
    .map(
      ({ name, type }, index) => `${pg.escapeIdentifier(name)} = $${before + index + 1}::${type}`,
    )
    .join(' and ')
}

export const keyValues = ({ columns }: Table, key: Key): (string | null)[] =>
  columns.filter(({ is_key }) => is_key).map(({ name }) => key[name] ?? null)

/**
 * The row as the owner sees it, as text, which Postgres reads back as exactly this row.
 * @returns null when there is none
 */
export async function findRow(
  owner: pg.ClientBase,
  table: Table,
  key: Key,
): Promise<string | null> {
  const { rows } = await owner
    .query<{ content: string }>(
      `select ("the row".*)::text as content from ${table.name} as "the row" where ${keyCondition(table)}`,
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
  const content = rows[0]?.content ?? null
  if (content === null && table.binds_owner)
    throw new AdvisorError(
      `The role that connects sees no such row of ${table.name}, but row-level security binds it too, so there may be one. ` +
        `Let it see all: create policy ${pg.escapeIdentifier(`${table.relation}_for_owner`)} on ${table.name} to ${pg.escapeIdentifier(table.owner)} using (true) with check (true)`,
    )
  return content
}
