import type pg from 'pg'
import type { Granted } from './check-grants.ts'
import { countRows } from './count-rows.ts'
import type { Decision, Explanation } from './explanation.ts'
import { findCulprits } from './find-culprits.ts'
import { quoted, type Table } from './find-table.ts'
import { measureCost } from './measure-cost.ts'
import { notesFor } from './notes-for.ts'

import {
  insertingOf,
  MOST_READ,
  MOST_WRITTEN,
  readingOf,
  type TableStatement,
  writingOf,
} from './table-statement.ts'
import { tryEach } from './try-each.ts'
import { tryMadeUpRow } from './try-made-up-row.ts'
import { type Outcome, runStatement } from './try-statement.ts'
import { tryVariants } from './try-variants.ts'
import { weigh } from './weigh.ts'

/** The whole table: what a client's statement over all of it comes to, bounded. */
export async function answerForTable(
  client: pg.Client,
  known: Explanation,
  table: Table,
  granted: Granted,
  open: Decision | null,
): Promise<Explanation> {
  const { action, questions } = known
  const role = known.user.database_role ?? ''
  const most = action === 'select' ? MOST_READ : MOST_WRITTEN
  const there = action === 'insert' ? null : await countRows(client, table, most, role)
  const statement = statementOver(known, table, granted, there)
  const outcome = await runStatement(client, statement ?? planOf(known, table, granted))
  const missing = granted.needs.find(({ is_granted }) => !is_granted)
  const reached = statement === null || action === 'insert' ? null : outcome.rows
  const weighed = weigh({
    ...{ action, questions, open, missing, outcome, there, most, reached },
    isBounded: statement?.is_bounded ?? false,
    isTried: statement !== null,
  })
  const found = await whereItComesFrom(client, known, table, granted, weighed, outcome)
  const isUnknown = found.verdict === 'unknown'
  const isMadeUp = isUnknown && ['no_rows', 'no_row_given'].includes(found.decided_by.kind)
  return {
    ...known,
    verdict: found.verdict,
    decided_by: found.decided_by,
    reach: action === 'insert' ? null : { most, rows: reached, of: there },
    tried: {
      ...{ rows: reached, error: outcome.error },
      is_as_foretold: missing === undefined || outcome.error !== null,
      statement: statement?.text ?? planOf(known, table, granted).text,
    },
    variants:
      action === 'insert' && found.verdict !== 'no' && statement !== null
        ? await tryVariants(
            client,
            action,
            { table, key: null, values: null, row: null },
            granted,
            statement,
          )
        : [],
    cost:
      action === 'select' && outcome.error === null
        ? await costOfReading(client, table, granted, role)
        : null,
    notes: [
      ...found.notes,
      ...(isMadeUp ? await tryMadeUpRow(client, table, action, questions, role) : []),
      ...(missing === undefined ? notesFor(table, action, granted, questions, false) : []),
    ],
  }
}

function statementOver(
  { action }: Explanation,
  table: Table,
  granted: Granted,
  there: number | null,
): TableStatement | null {
  if (action === 'select') return readingOf(table, granted)
  if (action === 'insert') return insertingOf(table, granted)
  return writingOf(action, table, granted, there)
}

/** Where there are too many rows to lock, that it can be planned at all: grants, and policies that go round. */
function planOf({ action }: Explanation, table: Table, granted: Granted): TableStatement {
  const { text } = writingOf(action, table, granted, 0) ?? readingOf(table, granted)
  return { text, run: `explain ${text}`, values: [], is_bounded: true }
}

type Found = Pick<Explanation, 'verdict' | 'decided_by' | 'notes'>

/** An error comes from a policy; or from something else, and then other rows may do better. */
async function whereItComesFrom(
  client: pg.Client,
  { action, questions, user }: Explanation,
  table: Table,
  granted: Granted,
  weighed: Omit<Found, 'notes'>,
  outcome: Outcome,
): Promise<Found> {
  const { decided_by } = weighed
  if (decided_by.kind !== 'postgres' || outcome.error === null) return { ...weighed, notes: [] }
  const role = user.database_role ?? ''
  const found = await findCulprits(client, table, questions, decided_by, role)
  const isOfRows = action === 'update' || action === 'delete'
  if (isOfRows && found.policy === null) {
    const each = await tryEach(client, action, table, granted)
    const count = `${each.done} of ${each.tried} rows went through one by one`
    if (each.done > 0)
      return {
        verdict: 'depends',
        decided_by: {
          kind: 'policies',
          names: questions
            .filter(({ command }) => command === action)
            .flatMap(({ policies }) => policies.map(({ name }) => name)),
        },
        notes: [`All at once, Postgres refuses: ${outcome.error.message}. ${count}.`],
      }
  }
  return { ...weighed, decided_by: found, notes: [] }
}

const costOfReading = (
  client: pg.Client,
  table: Table,
  granted: Granted,
  role: string,
): Promise<Explanation['cost']> =>
  measureCost(
    client,
    table,
    {
      text: `select ${quoted(granted.readable)} from ${table.name} limit ${MOST_READ}`,
      values: [],
    },
    role,
  )
