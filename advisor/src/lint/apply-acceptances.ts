import type { Finding } from './finding.ts'
import { isAtLeast, type Weight } from './weight.ts'

/** A finding that somebody lives with, as `pie-lint.json` says it. */
export interface Acceptance {
  rule: string
  object: string
  /** Empty where none is given. */
  reason: string
}

/**
 * Takes the accepted findings out, and those that are not asked for. An acceptance without a reason accepts nothing and
 * is a finding itself; so is one that matches none any more, and would hide the next fault of that kind.
 *
 * @param found all there is, also what is lighter than `least`: what is accepted of it is no acceptance of nothing
 * @param named the schemas that were asked for: an acceptance in another one cannot be judged
 */
export function applyAcceptances(
  found: readonly Finding[],
  acceptances: readonly Acceptance[],
  named: readonly string[] | null,
  least: Weight,
): { findings: Finding[]; accepted: number } {
  const isReasoned = ({ reason }: Acceptance): boolean => reason.trim() !== ''
  const valid = new Set(acceptances.filter(isReasoned).map(keyOf))
  const there = new Set(found.map(keyOf))
  const shown = found.filter(({ weight }) => isAtLeast(weight, least))
  const left = shown.filter((finding) => !valid.has(keyOf(finding)))
  const unmatched = acceptances.filter(
    (acceptance) =>
      isReasoned(acceptance) &&
      !there.has(keyOf(acceptance)) &&
      (named === null || named.some((schema) => isIn(acceptance.object, schema))),
  )
  return {
    findings: [
      ...left,
      ...acceptances.filter((acceptance) => !isReasoned(acceptance)).map(withoutReason),
      ...unmatched.map(ofNothing),
    ],
    accepted: shown.length - left.length,
  }
}

const keyOf = ({ rule, object }: Pick<Finding, 'rule' | 'object'>): string =>
  JSON.stringify([rule, object])

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
