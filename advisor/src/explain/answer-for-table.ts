import type pg from 'pg'
import type { Granted } from './check-grants.ts'
import { countReach } from './count-reach.ts'
import type { Decision, Explanation } from './explanation.ts'
import { quoted, type Table } from './find-table.ts'
import { findClosedCommand } from './judge.ts'
import { measureCost } from './measure-cost.ts'

/** The whole table: which policies there are, how many rows they let through, and what a reading costs. */
export async function answerForTable(
  client: pg.Client,
  known: Explanation,
  table: Table,
  granted: Granted,
  open: Decision | null,
): Promise<Explanation> {
  const closed = open === null ? findClosedCommand(known.questions) : null
  const role = known.user.database_role ?? ''
  const names = known.questions
    .filter(({ command }) => command === known.action)
    .flatMap(({ policies }) => policies.map(({ name }) => name))
  const decided_by = closed ?? open ?? { kind: 'policies' as const, names: [...new Set(names)] }
  const canRead = known.action !== 'insert' && granted.readable.length > 0
  const reach = canRead
    ? await countReach(client, table, known.action, known.questions, role)
    : null
  const reading = {
    text: `select ${quoted(granted.readable)} from ${table.name} limit ${reach?.most}`,
    values: [],
  }
  return {
    ...known,
    verdict: closed !== null ? 'no' : open !== null ? 'yes' : 'depends',
    decided_by,
    reach,
    cost: canRead ? await measureCost(client, table, reading, role) : null,
  }
}
