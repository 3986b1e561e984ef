import type { Decision, Question } from './explanation.ts'

/** What grants and policies foretell. Null: a policy could not be evaluated, so only trying can tell. */
export interface Judgement {
  verdict: boolean | null
  decided_by: Decision
  /** It is a refusal that is likely, by what was known of the row: where Postgres refuses so, it is this one. */
  is_likely?: boolean
}

/** The first question that is answered with no decides; if there is none, whatever let each one pass. */
export function judge(questions: readonly Question[]): Judgement {
  const failed = questions.find(({ passes }) => passes === false)
  if (failed !== undefined) return { verdict: false, decided_by: refusalOf(failed) }
  const names = questions.flatMap(({ policies }) =>
    policies
      .filter(({ result, is_restrictive }) => result && !is_restrictive)
      .map(({ name }) => name),
  )
  return {
    verdict: questions.every(({ passes }) => passes) ? true : null,
    decided_by: { kind: 'policies', names: [...new Set(names)] },
  }
}

function refusalOf({ command, policies }: Question): Decision {
  const permissive = policies.filter(({ is_restrictive }) => !is_restrictive)
  if (permissive.length === 0) return { kind: 'no_policy', command }
  const isLetIn = permissive.some(({ result }) => result)
  const deciding = isLetIn
    ? policies.filter(({ is_restrictive, result }) => is_restrictive && result !== true)
    : permissive
  return { kind: 'policies', names: deciding.map(({ name }) => name) }
}

/** A command of which nothing is let through, whatever the row: no permissive policy is for it. */
export function findClosedCommand(questions: readonly Question[]): Decision | null {
  const closed = questions.find(({ policies }) =>
    policies.every(({ is_restrictive }) => is_restrictive),
  )
  return closed === undefined ? null : { kind: 'no_policy', command: closed.command }
}
