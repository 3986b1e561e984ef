import pg from 'pg'
import type { Granted } from './check-grants.ts'
import type { Action } from './explanation.ts'
import { type Key, keyCondition, keyValues } from './find-row.ts'
import { quoted, type Table } from './find-table.ts'
import type { Values } from './new-row.ts'

export interface RealStatement {
  text: string
  values: (string | null)[]
  /** What is run in its stead to count its rows. */
  run?: string
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
  const where = key === null ? '' : ` where ${keyCondition(table, key)}`
  const found = key === null ? [] : keyValues(table, key)
  switch (action) {
    case 'select': {
      const columns = granted.readable.length === 0 ? '*' : quoted(granted.readable)
      return { text: `select ${columns} from ${table.name}${where}`, values: found }
    }
    case 'delete':
      return { text: `delete from ${table.name}${where}`, values: found }
    case 'insert':
      return insertOf(table, values)
    case 'update':
      return updateOf(target, granted, found)
  }
}

function insertOf(table: Table, values: Values | null): RealStatement {
  const literals = Object.entries(values?.literals ?? {})
  if (literals.length === 0) return { text: `insert into ${table.name} default values`, values: [] }
  return {
    text: `insert into ${table.name} (${quoted(literals.map(([name]) => name))}) values (${literals.map((_, index) => `$${index + 1}`).join(', ')})`,
    values: literals.map(([, value]) => value),
  }
}

/** Without values to set, a column is set to what it is. */
function updateOf(
  { table, key, values, row }: Target,
  granted: Granted,
  found: RealStatement['values'],
): RealStatement {
  const where = key === null ? '' : ` where ${keyCondition(table, key)}`
  if (values !== null && Object.keys(values.literals).length > 0) {
    const literals = Object.entries(values.literals)
    const sets = literals.map(
      ([name], index) => `${pg.escapeIdentifier(name)} = $${found.length + index + 1}`,
    )
    return {
      text: `update ${table.name} set ${sets.join(', ')}${where}`,
      values: [...found, ...literals.map(([, value]) => value)],
    }
  }
  const name = pg.escapeIdentifier(placeholderColumn(table, granted))
  return {
    text: `update ${table.name} set ${name} = ($${found.length + 1}::${table.name}).${name}${where}`,
    values: [...found, row],
  }
}

/** What an update sets to what it is, to change nothing: no key, which others may refer to. */
export function placeholderColumn({ columns }: Table, { updatable, readable }: Granted): string {
  const usable = columns.filter(
    ({ generation_expression, is_identity, is_updatable }) =>
      generation_expression === null && !is_identity && is_updatable,
  )
  const may = usable.filter(({ name }) => updatable.includes(name))
  const column =
    may.find(({ is_key, name }) => !is_key && readable.includes(name)) ??
    may.find(({ is_key }) => !is_key) ??
    may[0] ??
    usable.find(({ is_key }) => !is_key) ??
    columns[0]
  return column?.name ?? ''
}
