import type pg from 'pg'
import type { Granted } from './check-grants.ts'
import type { Explanation } from './explanation.ts'
import { findCulprits } from './find-culprits.ts'
import type { Table } from './find-table.ts'
import { placeholderColumn } from './statement-for.ts'
import { readEach, tryEach } from './try-each.ts'
import type { TriedTable } from './try-table.ts'

type Found = Pick<Explanation, 'verdict' | 'decided_by' | 'notes'>

/** What a statement is refused for before it comes to any row. */
const ofAllRows = ['42501', '42P17']

/** An error over a whole table comes from a policy; or from something else, and then other rows may do better. */
export async function whereItComesFrom(
  client: pg.Client,
  { action, questions, user }: Explanation,
  table: Table,
  granted: Granted,
  weighed: Omit<Found, 'notes'>,
  { outcome: { error } }: TriedTable,
): Promise<Found> {
  const { decided_by } = weighed
  if (decided_by.kind !== 'postgres' || error === null) return { ...weighed, notes: [] }
  const role = user.database_role ?? ''
  const found = await findCulprits(client, table, questions, decided_by, role)
  const unsure: Found = { ...weighed, decided_by: found, notes: [] }
  if (action === 'select' && !ofAllRows.includes(error.code)) {
    const one_by_one = await readEach(client, table, granted, role)
    return { ...unsure, decided_by: { ...found, one_by_one } }
  }
  if (found.policy !== null || (action !== 'update' && action !== 'delete')) return unsure
  const each = await tryEach(client, action, table, granted, role)
  if (each.done > 0) {
    const policies = questions
      .filter(({ command }) => command === action)
      .flatMap(({ policies: asked }) => asked)
    const names = [...new Set(policies.map(({ name }) => name))]
    return {
      verdict: 'depends',
      decided_by: names.length === 0 ? found : { kind: 'policies', names },
      notes: [
        `All at once, Postgres refuses: ${error.message}. ${each.done} of ${each.tried} rows went through one by one.`,
      ],
    }
  }
  const isMadeUp =
    action === 'update' && !granted.readable.includes(placeholderColumn(table, granted))
  if (!isMadeUp || !error.code.startsWith('23')) return unsure
  const reason = `a constraint refuses the value that it was tried with, ${error.message}. Give one with --row and --set`
  return { verdict: 'unknown', decided_by: { kind: 'not_tried', reason }, notes: [] }
}
