import type { Finding } from '../lint/finding.ts'
import { isForAnother } from '../lint/mends/mend-as.ts'
import { weights } from '../lint/weight.ts'
import { onOneLine } from '../printable.ts'
import { splitStatements, withoutComments } from './split-statements.ts'

const ANEW = 'rights given anew'
const TAKEN = 'rights taken'

/**
 * The order in which mends can be run after one another: what a policy calls before the policy, what takes away before
 * what is made anew, and what drops an object after all that changes it.
 */
const phases: readonly [name: string, beginsWith: RegExp][] = [
  // Written anew, a function is what it was before: what is said of it comes after.
  ['functions written anew', /^create( or replace)? (function|procedure|aggregate)\b/i],
  ['functions', /^alter (function|procedure|routine|aggregate)\b/i],
  // What a mend takes and gives back in part comes before one that takes it for good.
  [ANEW, /^grant\b/i],
  [TAKEN, /^(revoke|alter default privileges|alter role)\b/i],
  [
    'tables and policies',
    /^(alter (?!extension\b)|create( or replace)? (policy|table|view|trigger|rule)\b)/i,
  ],
  ['indexes', /^create (unique )?index\b/i],
  ['everything else', /^(?!comment|drop|alter extension)/i],
  ['comments', /^comment\b/i],
  ['what goes', /^drop\b/i],
  // Its types and functions are called by their schema in every other mend.
  ['extensions', /^alter extension\b/i],
]

/** Says what has been run already, so that a batch runs a statement once. */
const DONE = '-- as above'

/**
 * The SQL of all mends as one batch, each after a comment that names its finding; and last, in comments, what somebody has
 * to decide, and what somebody else has to run.
 */
export function mendsInOrder(findings: readonly Finding[]): string {
  const mends = findings
    .filter(({ mend }) => !isForAnother(mend))
    .map((finding) => ({ finding, statements: splitStatements(finding.mend) }))
  const isDecision = ({ statements }: (typeof mends)[number]): boolean =>
    statements.every((statement) => withoutComments(statement) === '')
  const inOrder = mends
    .filter((mend) => !isDecision(mend))
    .map((mend) => ({ ...mend, order: orderOf(mend) }))
    .sort((one, other) => one.order - other.order)
  const run = new Set<string>()
  const batch = inOrder.map(({ finding, statements }) => {
    const keyOf = keyIn(statements)
    const left = statements.filter((statement) => !run.has(keyOf(statement)))
    for (const statement of left) run.add(keyOf(statement))
    return [title(finding), ...(left.length === 0 ? [DONE] : left)].join('\n')
  })
  const forOthers = findings
    .filter(({ mend }) => isForAnother(mend))
    .map((finding) => `${title(finding)}\n${finding.mend.replaceAll(/^(?!--)/gm, '-- ')}`)
  const decisions = mends
    .filter(isDecision)
    .map(({ finding }) => `${title(finding)}\n${finding.mend}`)
  return [...batch, ...decisions, ...forOthers].join('\n\n') || '-- There is nothing to mend.'
}

/** What tells a statement that need not run again: but what has been given since it was taken is taken once more. */
function keyIn(statements: readonly string[]): (statement: string) => string {
  const phase = phaseOf(statements)
  return (statement) => {
    const bare = withoutComments(statement)
    return /^(grant|revoke)\b/i.test(bare) ? `${phase} ${bare}` : bare
  }
}

/** By phase, then the gravest first; but of rights the gravest last, so that nothing gives back what it took. */
function orderOf({ finding, statements }: { finding: Finding; statements: string[] }): number {
  const phase = phaseOf(statements)
  const [name] = phases[phase] ?? []
  const place = weights.indexOf(finding.weight)
  const isOfRights = name === ANEW || name === TAKEN
  return phase * weights.length + (isOfRights ? weights.length - 1 - place : place)
}

/** What drops something to make it anew changes it; of others the last statement says what it is about. */
function phaseOf(statements: readonly string[]): number {
  const bare = statements.map(withoutComments).filter((statement) => statement !== '')
  const [first = ''] = bare
  // What is said of a function after it has been written anew goes with it.
  const last = phases[0]?.[1].test(first) === true ? first : (bare.at(-1) ?? '')
  const phase = phases.findIndex(([, beginsWith]) => beginsWith.test(last))
  return phases[phase]?.[0] === TAKEN && bare.some((statement) => /^grant\b/i.test(statement))
    ? phases.findIndex(([name]) => name === ANEW)
    : phase
}

/** A name may hold a line break, after which a comment would be none. */
const title = ({ rule, object }: Finding): string => `-- ${onOneLine(rule)}: ${onOneLine(object)}`
