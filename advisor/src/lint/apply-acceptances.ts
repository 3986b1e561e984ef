import type { Finding } from './finding.ts'
import { isAtLeast, type Weight } from './weight.ts'

/** A finding that somebody lives with, as `pie-lint.json` says it. */
export interface Acceptance {
  rule: string
  /** With a star at its end, all that begin so: a name that ends in a star itself is in quotes. */
  object: string
  /** Empty where none is given. */
  reason: string
}

/**
 * Takes the accepted findings out, and those that are not asked for. An acceptance without a reason accepts nothing and
 * is a finding itself; so is one that matches none any more, and would hide the next fault of that kind.
 *
 * @param found all there is, also what is lighter than `least`: what is accepted of it is no acceptance of nothing
 * @param known the rules that there are
 * @param named the schemas that were asked for: an acceptance in another one cannot be judged
 */
export function applyAcceptances(
  found: readonly Finding[],
  acceptances: readonly Acceptance[],
  known: readonly string[],
  named: readonly string[] | null,
  least: Weight,
): { findings: Finding[]; accepted: number } {
  const isReasoned = ({ reason }: Acceptance): boolean => reason.trim() !== ''
  const valid = matcherOf(acceptances.filter(isReasoned))
  const shown = found.filter(({ weight }) => isAtLeast(weight, least))
  const left = shown.filter((finding) => !valid(finding))
  const isThere = (acceptance: Acceptance): boolean => found.some(matcherOf([acceptance]))
  const unmatched = acceptances.filter(
    (acceptance) =>
      isReasoned(acceptance) &&
      !isThere(acceptance) &&
      (named === null || named.some((schema) => isIn(acceptance.object, schema))),
  )
  return {
    findings: [
      ...left,
      ...acceptances.filter((acceptance) => !isReasoned(acceptance)).map(withoutReason),
      ...unmatched.map((acceptance) =>
        known.includes(acceptance.rule) || isRuleOf(found, acceptance)
          ? ofNothing(acceptance)
          : ofNoRule(acceptance, known),
      ),
    ],
    accepted: shown.length - left.length,
  }
}

type Named = Pick<Finding, 'rule' | 'object'>

const keyOf = ({ rule, object }: Named): string => JSON.stringify([rule, object])

/** Whether one of them names a finding. */
function matcherOf(acceptances: readonly Named[]): (finding: Named) => boolean {
  const whole = new Set(acceptances.map(keyOf))
  const beginnings = acceptances
    .filter(({ object }) => object.endsWith('*'))
    .map(({ rule, object }) => ({ rule, object: object.slice(0, -1) }))
  return (finding) =>
    whole.has(keyOf(finding)) ||
    beginnings.some(
      ({ rule, object }) => rule === finding.rule && finding.object.startsWith(object),
    )
}

/** What a tool around lint finds has rules of its own. */
const isRuleOf = (found: readonly Named[], acceptance: Named): boolean =>
  found.some(({ rule }) => rule === acceptance.rule)

/** Whether the name of an object is of a schema, quoted or not. */
function isIn(object: string, schema: string): boolean {
  return [schema, `"${schema.replaceAll('"', '""')}"`].some(
    (name) => object === `schema ${name}` || object.includes(` ${name}.`),
  )
}

const about = ({ rule, object }: Acceptance): string => `acceptance of ${rule} on ${object}`

const withoutReason = (acceptance: Acceptance): Finding => ({
  rule: 'acceptance-without-reason',
  object: about(acceptance),
  weight: 'failure',
  detail: null,
  why: 'Whoever reads it later cannot tell whether it was thought about, nor whether it still holds.',
  mend: '-- give this entry a "reason", or mend what it accepts',
})

const ofNothing = (acceptance: Acceptance): Finding => ({
  rule: 'acceptance-of-nothing',
  object: about(acceptance),
  weight: 'failure',
  detail: null,
  why: 'There is no such finding: it was mended or renamed, and this would hide the next one there.',
  mend: '-- take this entry out of the list of accepted findings',
})

function ofNoRule(acceptance: Acceptance, known: readonly string[]): Finding {
  const near = known.find((rule) => isNear(rule, acceptance.rule))
  return {
    rule: 'acceptance-of-nothing',
    object: about(acceptance),
    weight: 'failure',
    detail: null,
    why: 'There is no rule of that name, so that it accepts nothing.',
    mend:
      near === undefined
        ? '-- lint --help names the rules that there are'
        : `-- is it ${near} that is meant?`,
  }
}

/** But for a sign or two that were left out, put in or exchanged. */
function isNear(one: string, other: string): boolean {
  if (Math.abs(one.length - other.length) > 2) return false
  let begin = 0
  while (begin < one.length && one[begin] === other[begin]) begin += 1
  let end = 0
  while (end < one.length - begin && one.at(-1 - end) === other.at(-1 - end)) end += 1
  return Math.max(one.length, other.length) - begin - end <= 2
}
