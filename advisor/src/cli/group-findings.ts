import type { Finding } from '../lint/finding.ts'
import { type Weight, weights } from '../lint/weight.ts'

/** Findings of one rule and weight: why it matters is the same for all. */
export interface FindingGroup {
  rule: string
  weight: Weight
  why: string
  findings: Finding[]
}

/** The gravest first; within a weight, rules in the order in which they were asked, and so their objects. */
export function groupFindings(findings: readonly Finding[]): FindingGroup[] {
  return weights.flatMap((weight) => {
    const found = findings.filter((finding) => finding.weight === weight)
    // Of what a tool around lint has found, objects of one rule may differ in why.
    const groups = Map.groupBy(found, ({ rule, why }) => JSON.stringify([rule, why]))
    return [...groups.values()].flatMap((group) => {
      const [first] = group
      return first === undefined
        ? []
        : [{ rule: first.rule, weight, why: first.why, findings: group }]
    })
  })
}

/** What a weight means, as people read it over its findings. */
export const meanings: Readonly<Record<Weight, string>> = {
  hole: 'somebody can do what they should not',
  leak: 'somebody learns what they should not',
  failure: 'what should work fails, or shows nothing',
  slow: 'it works, and costs too much',
  style: 'a habit',
}

/** `2 holes, 1 leak`: the graver, the earlier. Empty where there is nothing. */
export function countByWeight(findings: readonly Finding[]): string {
  return weights
    .map(
      (weight) => [weight, findings.filter((finding) => finding.weight === weight).length] as const,
    )
    .filter(([, count]) => count > 0)
    .map(([weight, count]) => `${count} ${count === 1 ? weight : plurals[weight]}`)
    .join(', ')
}

const plurals: Readonly<Record<Weight, string>> = {
  hole: 'holes',
  leak: 'leaks',
  failure: 'failures',
  slow: 'slow',
  style: 'of style',
}

export const plural = (count: number, what: string): string =>
  `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`
