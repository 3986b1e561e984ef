import type pg from 'pg'
import { attempt } from '../database/attempt.ts'
import type { Refusal, Tried } from './explanation.ts'
import type { Judgement } from './judge.ts'
import type { RealStatement } from './statement-for.ts'

/** What a statement came to. */
export interface Outcome {
  rows: number | null
  error: Refusal | null
  /** The error is a policy's `no` to a row that would be: Postgres raises one for that alone. */
  is_policy_refusal: boolean
}

/** Runs it, and keeps nothing. Constraints that wait for the commit are not waited for. */
export async function runStatement(
  client: pg.ClientBase,
  { text, run, values }: RealStatement,
): Promise<Outcome> {
  const { error, found } = await attempt(client, async () => {
    const result = await client.query<{ rows: number }>(run ?? text, values)
    if (!isReading.test(text)) await client.query('set constraints all immediate')
    return result
  })
  if (error !== null)
    return {
      rows: null,
      error: refusalOf(error),
      is_policy_refusal: error.routine === 'ExecWithCheckOptions' && error.code === '42501',
    }
  const rows = run === undefined ? found.rowCount : (found.rows[0]?.rows ?? null)
  return { rows, error: null, is_policy_refusal: false }
}

const isReading = /^select /

const refusalOf = ({ code = '', message, where }: pg.DatabaseError): Refusal => ({
  code,
  message,
  context: where ?? null,
})

/** Does it to one row. Policies refuse in silence what is there, and with 42501 what would be. */
export async function tryStatement(
  client: pg.ClientBase,
  statement: RealStatement,
  { verdict, decided_by }: Judgement,
): Promise<{ outcome: Outcome; tried: Tried }> {
  const outcome = await runStatement(client, statement)
  const { rows, error } = outcome
  const isDone = error === null && (rows ?? 0) > 0
  const isForetold =
    verdict === null ||
    verdict === isDone ||
    // A constraint, a trigger, or a policy's own failure may still refuse what the policies let through.
    (verdict && error !== null && !outcome.is_policy_refusal)
  return {
    outcome,
    tried: {
      rows,
      error,
      is_as_foretold: isForetold || (decided_by.kind === 'grant' && error?.code === '42501'),
      statement: statement.text,
    },
  }
}
