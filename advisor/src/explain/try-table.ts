import type pg from 'pg'
import { attempt } from '../database/attempt.ts'
import type { Granted } from './check-grants.ts'
import { asOwner } from './count-rows.ts'
import type { Action } from './explanation.ts'
import type { Table } from './find-table.ts'
import { placeholderColumn } from './statement-for.ts'
import {
  insertingOf,
  MOST_WRITTEN,
  readingOf,
  type TableStatement,
  writingBlindlyOf,
  writingOf,
} from './table-statement.ts'
import { type Outcome, runStatement } from './try-statement.ts'

/** What was run over a whole table. */
export interface TriedTable {
  statement: TableStatement
  outcome: Outcome
  /** Whether rows were come to, and it was not only planned. */
  is_run: boolean
  /** It has no `where`, and so no select policy was asked. */
  is_blind: boolean
  notes: string[]
}

/**
 * Runs what a client would over a whole table. Of an update or delete, what reaches most: with a `where`, as an
 * application has it, or without.
 *
 * @param there how many rows there are; null where that is not known
 */
export async function tryTable(
  client: pg.ClientBase,
  action: Action,
  table: Table,
  granted: Granted,
  there: number | null,
  role: string,
): Promise<TriedTable> {
  const run = async (statement: TableStatement, is_blind = false): Promise<TriedTable> => ({
    ...{ statement, is_blind, is_run: action !== 'insert', notes: [] },
    outcome: await runStatement(client, statement),
  })
  if (action === 'select') return run(readingOf(table, granted))
  if (action === 'insert') return run(insertingOf(table, granted))
  const isSmall = there !== null && there <= MOST_WRITTEN
  const value = action === 'update' ? await valueFor(client, table, granted, role) : null
  const reading = writingOf(action, table, granted, isSmall, value)
  const blind = writingBlindlyOf(action, table, granted, value)
  if (!isSmall) {
    if (reading !== null) {
      const tried = await run(reading)
      return { ...tried, notes: tried.outcome.error === null ? [untried] : [] }
    }
    const planned = await run({ ...blind, run: `explain ${blind.text}` }, true)
    return { ...planned, is_run: false }
  }
  if (reading === null) return run(blind, true)
  const [usual, without] = [await run(reading), await run(blind, true)]
  if ((without.outcome.rows ?? 0) <= (usual.outcome.rows ?? 0)) return usual
  return { ...without, notes: [onlyBlindly(usual.outcome)] }
}

const untried =
  'A statement without a `where` reads nothing, and the select policies are not asked for it. It was not tried: it may lock every row.'

function onlyBlindly({ rows, error }: Outcome): string {
  const came =
    error === null ? `comes to ${rows} ${rows === 1 ? 'row' : 'rows'}` : `fails: ${error.message}`
  return `That is so of a statement without a \`where\`: it reads nothing, and the select policies are not asked. One with a \`where\` ${came}.`
}

/** A value that a column has somewhere, as the owner sees it. Null where there is none. */
export async function valueFor(
  client: pg.ClientBase,
  table: Table,
  granted: Granted,
  role: string,
): Promise<string | null> {
  const column = table.columns.find(({ name }) => name === placeholderColumn(table, granted))
  if (column === undefined) return null
  const { found } = await asOwner(client, role, () =>
    attempt(client, () =>
      client.query<{ value: string }>(
        `select ${column.quoted}::text as value from ${table.name} where ${column.quoted} is not null limit 1`,
      ),
    ),
  )
  return found?.rows[0]?.value ?? null
}
