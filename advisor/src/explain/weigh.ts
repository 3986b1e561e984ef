import type { Action, Decision, Explanation, Grant, Question } from './explanation.ts'
import { findClosedCommand } from './judge.ts'
import { postgresSaid, saidBy } from './reconcile.ts'
import type { Outcome } from './try-statement.ts'

interface Weighed {
  action: Action
  questions: readonly Question[]
  open: Decision | null
  missing: Grant | undefined
  outcome: Outcome
  /** How many rows are there; null where that is not known. */
  there: number | null
  most: number
  /** How many rows it came to. */
  reached: number | null
  /** Not all rows were come to. */
  isBounded: boolean
  isTried: boolean
}

type Verdict = Pick<Explanation, 'verdict' | 'decided_by'>

/** What a statement over a whole table says of it, and no more than that. */
export function weigh(weighed: Weighed): Verdict {
  const { outcome, missing, action, questions, open, reached } = weighed
  if (outcome.error !== null) {
    const isGrant = missing !== undefined && outcome.error.code === '42501'
    return {
      verdict: 'no',
      decided_by: isGrant
        ? { kind: 'grant', missing: missing.what, mend: missing.mend }
        : saidBy(outcome.error),
    }
  }
  const closed = open === null ? findClosedCommand(questions) : null
  if (closed !== null && (reached ?? 0) === 0) return { verdict: 'no', decided_by: closed }
  const names = namesOf(action, questions)
  const byPolicies: Decision = open ?? { kind: 'policies', names }
  const isOpen = (open !== null && open.kind !== 'view') || isOpenByPolicies(open, questions)
  if (action === 'insert') {
    if (isOpen) return { verdict: 'yes', decided_by: byPolicies }
    return { verdict: 'unknown', decided_by: { kind: 'no_row_given', names } }
  }
  return ofRows(weighed, isOpen, byPolicies, names)
}

function ofRows(
  { reached, there, most, isBounded, isTried }: Weighed,
  isOpen: boolean,
  byPolicies: Decision,
  names: string[],
): Verdict {
  if (!isTried)
    return notTried(`there are too many rows to lock them all, and no key of theirs may be read`)
  if (reached === null) return { verdict: 'unknown', decided_by: postgresSaid('nothing') }
  if (isOpen && (reached > 0 || there === 0)) return { verdict: 'yes', decided_by: byPolicies }
  if (there === 0) return { verdict: 'unknown', decided_by: { kind: 'no_rows', names } }
  if (reached === 0 && isBounded)
    return notTried(
      `none of the first ${most} rows that they see was let through, and others were not tried`,
    )
  // No policy keeps any back, so that something else has: a trigger, or a rule.
  if (reached === 0 && isOpen)
    return { verdict: 'no', decided_by: postgresSaid('0 rows, though no policy keeps any back') }
  if (reached === 0) return { verdict: 'no', decided_by: byPolicies }
  const isAll = there !== null && there <= most && reached >= there
  return { verdict: isAll ? 'yes' : 'depends', decided_by: byPolicies }
}

const notTried = (reason: string): Verdict => ({
  verdict: 'unknown',
  decided_by: { kind: 'not_tried', reason },
})

const namesOf = (action: Action, questions: readonly Question[]): string[] => [
  ...new Set(
    questions
      .filter(({ command }) => command === action)
      .flatMap(({ policies }) => policies.map(({ name }) => name)),
  ),
]

/** Each question has a policy that asks for nothing, and none that narrows it. */
export function isOpenByPolicies(open: Decision | null, questions: readonly Question[]): boolean {
  if (open !== null || questions.length === 0) return false
  return questions.every(({ policies }) => {
    const isNarrowed = policies.some(
      ({ is_restrictive, expression }) => is_restrictive && expression !== 'true',
    )
    return (
      !isNarrowed &&
      policies.some(({ is_restrictive, expression }) => !is_restrictive && expression === 'true')
    )
  })
}
