import type pg from 'pg'
import { attempt } from '../database/attempt.ts'
import type { Explanation, Tried } from './explanation.ts'
import type { Judgement } from './judge.ts'
import type { RealStatement } from './statement-for.ts'

/** Does it. Policies refuse in silence what is there, and with 42501 what would be. */
export async function tryStatement(
  client: pg.Client,
  { text, values }: RealStatement,
  { verdict }: Judgement,
): Promise<Tried> {
  const { error, found } = await attempt(client, () => client.query(text, values))
  const isDone = error === null && (found.rowCount ?? 0) > 0
  return {
    rows: error === null ? found.rowCount : null,
    error: error === null ? null : { code: error.code ?? '', message: error.message },
    // A constraint or trigger may still refuse what the policies let through.
    is_as_foretold:
      verdict === null ||
      verdict === isDone ||
      (verdict && error !== null && error.code !== '42501'),
  }
}

/** Postgres has the last word. */
export function reconcile(
  { verdict, decided_by }: Judgement,
  { rows, error }: Tried,
): Pick<Explanation, 'verdict' | 'decided_by'> {
  const isDone = (rows ?? 0) > 0
  if (verdict === isDone) return { verdict: isDone ? 'yes' : 'no', decided_by }
  const said = error === null ? `${rows} rows` : error.message
  return { verdict: isDone ? 'yes' : 'no', decided_by: { kind: 'postgres', said } }
}
