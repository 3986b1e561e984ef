import pg from 'pg'
import type { Granted } from './check-grants.ts'
import type { Action } from './explanation.ts'
import { type Key, keyCondition, keyValues } from './find-row.ts'
import { quoted, type Table } from './find-table.ts'
import type { Values } from './new-row.ts'

export interface RealStatement {
  text: string
  values: (string | null)[]
}

export interface Target {
  table: Table
  key: Key | null
  /** What is inserted, or what an update sets. */
  values: Values | null
  /** The row as it is. */
  row: string | null
}

/** The statement that does it to one row, as an application would send it. */
export function statementFor(action: Action, target: Target, granted: Granted): RealStatement {
  const { table, key, values } = target
  const where = `where ${keyCondition(table)}`
  const found = key === null ? [] : keyValues(table, key)
  switch (action) {
    case 'select':
      return {
        text: `select ${quoted(granted.readable)} from ${table.name} ${where}`,
        values: found,
      }
    case 'delete':
      return { text: `delete from ${table.name} ${where}`, values: found }
    case 'insert':
      return insertOf(table, values)
    case 'update':
      return updateOf(target, granted, found)
  }
}

function insertOf(table: Table, values: Values | null): RealStatement {
  const names = quoted(Object.keys(values?.members ?? {}))
  if (names === '') return { text: `insert into ${table.name} default values`, values: [] }
  return {
    text: `insert into ${table.name} (${names}) select ${names} from jsonb_populate_record(null::${table.name}, $1::jsonb)`,
    values: [values?.json ?? '{}'],
  }
}

/** Without values to set, a column is set to what it is. */
function updateOf(
  { table, values, row }: Target,
  granted: Granted,
  found: RealStatement['values'],
): RealStatement {
  const own = table.columns.find(
    ({ name, is_key, generation_expression, is_identity }) =>
      granted.updatable.includes(name) && !is_key && generation_expression === null && !is_identity,
  )
  const names =
    values === null ? [own?.name ?? granted.updatable[0] ?? ''] : Object.keys(values.members)
  const count = found.length
  const from =
    values === null
      ? `$${count + 1}::${table.name}`
      : `jsonb_populate_record(null::${table.name}, $${count + 1}::jsonb)`
  const sets = names.map(
    (name) => `${pg.escapeIdentifier(name)} = (${from}).${pg.escapeIdentifier(name)}`,
  )
  return {
    text: `update ${table.name} set ${sets.join(', ')} where ${keyCondition(table)}`,
    values: [...found, values === null ? row : values.json],
  }
}
