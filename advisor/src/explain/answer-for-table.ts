import type pg from 'pg'
import type { Granted } from './check-grants.ts'
import { countRows } from './count-rows.ts'
import type { Decision, Explanation, Variant } from './explanation.ts'
import { quoted, type Table } from './find-table.ts'
import { measureCost } from './measure-cost.ts'
import { notesFor } from './notes-for.ts'
import { MOST_READ, MOST_WRITTEN } from './table-statement.ts'
import { tryMadeUpRow } from './try-made-up-row.ts'
import { type TriedTable, tryTable } from './try-table.ts'
import { tryVariants } from './try-variants.ts'
import { weigh } from './weigh.ts'
import { whereItComesFrom } from './where-it-comes-from.ts'

/** The whole table: what a client's statement over all of it comes to, bounded. */
export async function answerForTable(
  client: pg.Client,
  known: Explanation,
  table: Table,
  granted: Granted,
  open: Decision | null,
): Promise<Explanation> {
  const { action } = known
  const role = known.user.database_role ?? ''
  const most = action === 'select' ? MOST_READ : MOST_WRITTEN
  const there = action === 'insert' ? null : await countRows(client, table, most, role)
  const tried = await tryTable(client, action, table, granted, there, role)
  const { statement, outcome } = tried
  const questions = tried.is_blind
    ? known.questions.filter(({ command }) => command === action)
    : known.questions
  const missing = granted.needs.find(({ is_granted }) => !is_granted)
  const reached = tried.is_run ? outcome.rows : null
  const weighed = weigh({
    ...{ action, questions, open, missing, outcome, there, most, reached },
    isBounded: statement.is_bounded,
    isTried: tried.is_run,
  })
  const asked = { ...known, questions }
  const found = await whereItComesFrom(client, asked, table, granted, weighed, tried)
  return {
    ...asked,
    verdict: found.verdict,
    decided_by: found.decided_by,
    reach:
      action === 'insert'
        ? null
        : { most, rows: reached, of: there, is_bounded: statement.is_bounded },
    tried: {
      ...{ rows: reached, error: outcome.error, statement: statement.text },
      is_as_foretold: missing === undefined || outcome.error !== null,
    },
    variants: found.verdict === 'no' ? [] : await variantsOf(client, action, table, granted, tried),
    cost: await costOfReading(client, asked, table, granted, tried),
    notes: [
      ...tried.notes,
      ...found.notes,
      ...(isUnseen(found) ? await tryMadeUpRow(client, table, action, questions, role) : []),
      ...(missing === undefined ? notesFor(table, action, granted, questions, false) : []),
    ],
  }
}

/** No row was there that the policies could have been asked about. */
const isUnseen = ({ verdict, decided_by }: Pick<Explanation, 'verdict' | 'decided_by'>): boolean =>
  verdict === 'unknown' && ['no_rows', 'no_row_given'].includes(decided_by.kind)

async function variantsOf(
  client: pg.Client,
  action: Explanation['action'],
  table: Table,
  granted: Granted,
  { statement, outcome }: TriedTable,
): Promise<Variant[]> {
  if (action !== 'insert' || outcome.error !== null) return []
  const target = { table, key: null, values: null, row: null }
  return tryVariants(client, action, target, granted, statement)
}

async function costOfReading(
  client: pg.Client,
  { action, user }: Explanation,
  table: Table,
  granted: Granted,
  { outcome }: TriedTable,
): Promise<Explanation['cost']> {
  if (action !== 'select' || outcome.error !== null) return null
  const text = `select ${quoted(granted.readable)} from ${table.name} limit ${MOST_READ}`
  return measureCost(client, table, { text, values: [] }, user.database_role ?? '')
}
