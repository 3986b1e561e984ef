import pg from 'pg'
import type { Granted } from './check-grants.ts'
import type { Action } from './explanation.ts'
import { quoted, type Table } from './find-table.ts'
import { placeholderColumn, type RealStatement } from './statement-for.ts'

/** The most rows that are read to answer about a whole table. */
export const MOST_READ = 10_000
/** The most that are changed, and so locked, until it is rolled back. */
export const MOST_WRITTEN = 1000

/** A statement over the whole table, bounded. */
export interface TableStatement extends RealStatement {
  /** Fewer rows than there are may have been come to. */
  is_bounded: boolean
}

/**
 * Reads every column that is granted, so that a column which cannot be computed shows: `count` of the whole
 * row keeps them all.
 */
export function readingOf(table: Table, granted: Granted): TableStatement {
  const columns = granted.readable.length === 0 ? '*' : quoted(granted.readable)
  const counted = table.columns.length === 0 ? '*' : '"the rows".*'
  return {
    text: `select ${columns} from ${table.name}`,
    run: `select count(${counted})::int as rows from (select ${columns} from ${table.name} limit ${MOST_READ + 1}) as "the rows"`,
    values: [],
    is_bounded: false,
  }
}

/**
 * What an application sends reads a column, the key mostly, to say which rows, and is bound by the select
 * policies for it.
 *
 * @param isSmall whether all rows may be locked
 * @returns null where nothing can be read that rows could be told by
 */
export function writingOf(
  action: Action,
  table: Table,
  granted: Granted,
  isSmall: boolean,
  value: string | null,
): TableStatement | null {
  const key = table.columns.filter(({ is_key }) => is_key).map(({ name }) => name)
  const isKeyReadable = key.length > 0 && key.every((name) => granted.readable.includes(name))
  const [read] = isKeyReadable ? key : granted.readable
  if (read === undefined) return null
  const column = placeholderColumn(table, granted)
  const change = granted.readable.includes(column)
    ? changeOf(action, table, granted, pg.escapeIdentifier(column), [])
    : changeOf(action, table, granted, '$1', [value])
  if (isSmall) {
    const where = ` where ${pg.escapeIdentifier(read)} is null or true`
    return { ...change, text: change.text + where, is_bounded: false }
  }
  const isAllReadable = granted.readable.length === table.columns.length && table.kind === 'table'
  if (!isKeyReadable && !isAllReadable) return null
  const names = isKeyReadable ? quoted(key) : 'tableoid, ctid'
  return {
    ...change,
    text: `${change.text} where (${names}) in (select ${names} from ${table.name} limit ${MOST_WRITTEN})`,
    is_bounded: true,
  }
}

/** Without a `where`, nothing is read: it comes to every row that the policies of the action alone let through. */
export const writingBlindlyOf = (
  action: Action,
  table: Table,
  granted: Granted,
  value: string | null,
): TableStatement => changeOf(action, table, granted, '$1', [value])

function changeOf(
  action: Action,
  table: Table,
  granted: Granted,
  set: string,
  values: (string | null)[],
): TableStatement {
  if (action === 'delete')
    return { text: `delete from ${table.name}`, values: [], is_bounded: false }
  const column = pg.escapeIdentifier(placeholderColumn(table, granted))
  return { text: `update ${table.name} set ${column} = ${set}`, values, is_bounded: false }
}

/** Of an insert of which no row is given, what can be planned: it runs nothing and inserts nothing. */
export function insertingOf(table: Table, granted: Granted): TableStatement {
  const columns = table.columns
    .filter(
      ({ name, generation_expression }) =>
        granted.insertable.includes(name) && generation_expression === null,
    )
    .map(({ quoted: name }) => name)
  const nulls = columns.map(() => 'null').join(', ')
  const text =
    columns.length === 0
      ? `insert into ${table.name} default values`
      : `insert into ${table.name} (${columns.join(', ')}) overriding system value values (${nulls})`
  return { text, run: `explain ${text}`, values: [], is_bounded: false }
}
