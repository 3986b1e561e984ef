import type { Finding } from '../lint/finding.ts'
import { weights } from '../lint/weight.ts'
import { onOneLine } from '../printable.ts'
import { splitStatements, withoutComments } from './split-statements.ts'

/**
 * The order in which mends can be run after one another: what a policy calls before the policy, what takes away before
 * what is made anew, and what drops an object after all that changes it.
 */
const phases: readonly [name: string, beginsWith: RegExp][] = [
  ['functions', /^(create( or replace)?|alter) (function|procedure|routine|aggregate)\b/i],
  ['rights', /^(grant|revoke|alter default privileges|alter role)\b/i],
  ['tables and policies', /^(alter|create( or replace)? (policy|table|view|trigger|rule))\b/i],
  ['indexes', /^create (unique )?index\b/i],
  ['everything else', /^(?!comment|drop)/i],
  ['comments', /^comment\b/i],
  ['what goes', /^drop\b/i],
]

/** Says what has been run already, so that a batch runs a statement once. */
const DONE = '-- as above'

/** The SQL of all mends as one batch, each after a comment that names its finding; and last, what somebody has to decide. */
export function mendsInOrder(findings: readonly Finding[]): string {
  const mends = findings.map((finding) => ({ finding, statements: splitStatements(finding.mend) }))
  const isDecision = ({ statements }: (typeof mends)[number]): boolean =>
    statements.every((statement) => withoutComments(statement) === '')
  const inOrder = mends
    .filter((mend) => !isDecision(mend))
    .map((mend) => ({ ...mend, order: orderOf(mend) }))
    .sort((one, other) => one.order - other.order)
  const run = new Set<string>()
  const batch = inOrder.map(({ finding, statements }) => {
    const left = statements.filter((statement) => !run.has(withoutComments(statement)))
    for (const statement of left) run.add(withoutComments(statement))
    return [title(finding), ...(left.length === 0 ? [DONE] : left)].join('\n')
  })
  const decisions = mends
    .filter(isDecision)
    .map(({ finding }) => `${title(finding)}\n${finding.mend}`)
  return [...batch, ...decisions].join('\n\n') || '-- There is nothing to mend.'
}

/** By phase, then the gravest first. */
function orderOf({ finding, statements }: { finding: Finding; statements: string[] }): number {
  return phaseOf(statements) * weights.length + weights.indexOf(finding.weight)
}

/** What drops something to make it anew changes it; of others the last statement says what it is about. */
function phaseOf(statements: readonly string[]): number {
  const last = withoutComments(statements.at(-1) ?? '')
  return phases.findIndex(([, beginsWith]) => beginsWith.test(last))
}

/** A name may hold a line break, after which a comment would be none. */
const title = ({ rule, object }: Finding): string => `-- ${onOneLine(rule)}: ${onOneLine(object)}`
