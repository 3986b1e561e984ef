import type pg from 'pg'
import { evaluatePolicy } from './evaluate-policy.ts'
import type { AskedPolicy, Question } from './explanation.ts'
import type { Table } from './find-table.ts'

/** Has Postgres evaluate the policies of a question for a row, as the current role. */
export async function askPolicies(
  client: pg.ClientBase,
  table: Table,
  question: Question,
  row: string,
  role: string,
): Promise<Question> {
  const policies: AskedPolicy[] = []
  for (const policy of question.policies)
    policies.push({
      ...policy,
      ...(await evaluatePolicy(client, table, policy.expression, [row], role)),
    })
  return { ...question, policies, passes: passes(policies) }
}

/** One permissive policy and every restrictive one must be true; null is not true. */
function passes(policies: readonly AskedPolicy[]): boolean | null {
  const permissive = policies.filter(({ is_restrictive }) => !is_restrictive)
  const restrictive = policies.filter(({ is_restrictive }) => is_restrictive)
  const isFalse = ({ result, error }: AskedPolicy) => result !== true && error === null
  // What fails may fail before another is asked: only running it tells.
  if (policies.some(({ error }) => error !== null)) return null
  if (restrictive.some(isFalse) || permissive.every(isFalse)) return false
  return true
}
