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
 * policies for it. With nothing that can be read, it is the statement without a `where`.
 *
 * @param there how many rows there are
 * @returns null where it could only be tried on more rows than may be locked
 */
export function writingOf(
  action: Action,
  table: Table,
  granted: Granted,
  there: number | null,
): TableStatement | null {
  const change = action === 'delete' ? `delete from ${table.name}` : updateOf(table, granted)
  const isSmall = there !== null && there <= MOST_WRITTEN
  const key = table.columns.filter(({ is_key }) => is_key).map(({ name }) => name)
  const isKeyReadable = key.length > 0 && key.every((name) => granted.readable.includes(name))
  const [read] = isKeyReadable ? key : granted.readable
  if (isSmall) {
    const where = read === undefined ? '' : ` where ${pg.escapeIdentifier(read)} is null or true`
    return { text: change + where, values: [], is_bounded: false }
  }
  const isAllReadable = granted.readable.length === table.columns.length && table.kind === 'table'
  if (!isKeyReadable && !isAllReadable) return null
  const names = isKeyReadable ? quoted(key) : 'tableoid, ctid'
  return {
    text: `${change} where (${names}) in (select ${names} from ${table.name} limit ${MOST_WRITTEN})`,
    values: [],
    is_bounded: true,
  }
}

/** A column is set to what it is; where it may not be read, to nothing. */
function updateOf(table: Table, granted: Granted): string {
  const column = placeholderColumn(table, granted)
  const name = pg.escapeIdentifier(column)
  return `update ${table.name} set ${name} = ${granted.readable.includes(column) ? name : 'default'}`
}

/** Of an insert of which no row is given, what can be planned: it runs nothing and inserts nothing. */
export function insertingOf(table: Table, granted: Granted): TableStatement {
  const columns = table.columns
    .filter(
      ({ name, generation_expression }) =>
        granted.insertable.includes(name) && generation_expression === null,
    )
    .map(({ quoted: name }) => name)
  const into = columns.length === 0 ? '' : ` (${columns.join(', ')})`
  const nulls = columns.map(() => 'null').join(', ')
  const text =
    columns.length === 0
      ? `insert into ${table.name} default values`
      : `insert into ${table.name}${into} overriding system value values (${nulls})`
  return { text, run: `explain ${text}`, values: [], is_bounded: false }
}
