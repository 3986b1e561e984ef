import type { Decision, Explanation, PostgresDecision } from './explanation.ts'
import type { Judgement } from './judge.ts'
import type { Outcome } from './try-statement.ts'

/** Postgres has the last word: an error is the answer. */
export function reconcile(
  { verdict, decided_by, is_likely = false }: Judgement,
  { rows, error, is_policy_refusal }: Outcome,
): Pick<Explanation, 'verdict' | 'decided_by'> {
  const isDone = error === null && (rows ?? 0) > 0
  if (
    error !== null &&
    !explains(decided_by, error.code, is_policy_refusal, is_likely ? false : verdict)
  )
    return { verdict: 'no', decided_by: saidBy(error) }
  if (is_likely && error !== null) return { verdict: 'no', decided_by }
  if (verdict === isDone || (verdict === null && decided_by.kind === 'view'))
    return { verdict: isDone ? 'yes' : 'no', decided_by }
  const isByPolicies = verdict === null && isDone && decided_by.kind === 'policies'
  if (isByPolicies && decided_by.names.length > 0) return { verdict: 'yes', decided_by }
  const said = `${rows ?? 0} ${rows === 1 ? 'row' : 'rows'}`
  return { verdict: isDone ? 'yes' : 'no', decided_by: postgresSaid(said) }
}

/** Whether the refusal is the one that was foretold. */
function explains(
  decided_by: Decision,
  code: string,
  isPolicyRefusal: boolean,
  verdict: boolean | null,
): boolean {
  if (verdict !== false) return false
  if (decided_by.kind === 'grant') return code === '42501'
  return isPolicyRefusal
}

export const postgresSaid = (said: string): PostgresDecision => ({
  kind: 'postgres',
  said,
  code: null,
  policy: null,
  policies: [],
  context: null,
  one_by_one: null,
  mend: null,
})

export const saidBy = ({
  message,
  code,
  context,
}: NonNullable<Outcome['error']>): PostgresDecision => ({
  ...postgresSaid(message),
  code,
  context,
})
