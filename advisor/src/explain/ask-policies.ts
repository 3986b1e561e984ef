import pg from 'pg'
import { attempt } from '../database/attempt.ts'
import type { AskedPolicy, Question } from './explanation.ts'
import type { Table } from './find-table.ts'

/**
 * Has Postgres evaluate the policies of a question for a row, as the current role. The row is handed in:
 * nothing is locked, and it need not be in the table.
 */
export async function askPolicies(
  client: pg.ClientBase,
  table: Table,
  question: Question,
  row: string,
): Promise<Question> {
  const policies: AskedPolicy[] = []
  for (const policy of question.policies)
    policies.push({ ...policy, ...(await evaluate(client, table, policy.expression, row)) })
  return { ...question, policies, passes: passes(policies) }
}

async function evaluate(
  client: pg.ClientBase,
  { name, relation }: Table,
  expression: string,
  row: string,
): Promise<Pick<AskedPolicy, 'result' | 'error'>> {
  // Under the table's own name, so that the expression finds the columns however it names them, and of
  // the table's own type, so that it may pass on the whole row.
  const { error, found } = await attempt(client, () =>
    client.query<{ result: boolean | null }>(
      `select (${expression}) as result from unnest(array[$1::${name}]) as ${pg.escapeIdentifier(relation)}`,
      [row],
    ),
  )
  if (error !== null) return { result: null, error: error.message }
  return { result: found.rows[0]?.result ?? null, error: null }
}

/** One permissive policy and every restrictive one must be true; null is not true. */
function passes(policies: readonly AskedPolicy[]): boolean | null {
  const permissive = policies.filter(({ is_restrictive }) => !is_restrictive)
  const restrictive = policies.filter(({ is_restrictive }) => is_restrictive)
  const isFalse = ({ result, error }: AskedPolicy) => result !== true && error === null
  if (restrictive.some(isFalse) || permissive.every(isFalse)) return false
  if (restrictive.every(({ result }) => result) && permissive.some(({ result }) => result))
    return true
  return null
}
