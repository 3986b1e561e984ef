import type { Finding, Weight } from './finding.ts'

/** For a log or a refusal: one sentence and what mends it. */
export const findingInWords = ({ object, what, why, mend }: Finding): string =>
  `${object} ${what}. ${why}${mend === null ? '' : ` Mend it: ${mend.replaceAll('\n', ' ')}`}`

const titles: Record<Weight, string> = {
  opens: 'OPEN: Pie does not start like this',
  hinders: 'IN THE WAY, or a second line of defence that is down',
  tells: 'Worth knowing',
}

/** For people: what opens Pie first; the last line counts. */
export function findingsInWords(findings: readonly Finding[]): string {
  const groups = [...Map.groupBy(findings, ({ weight }) => weight)].map(([weight, found]) =>
    [titles[weight], ...found.map(describe)].join('\n\n'),
  )
  const count = (weight: Weight) => findings.filter((finding) => finding.weight === weight).length
  const summary =
    findings.length === 0
      ? 'The doctor has found nothing.'
      : `Found: ${count('opens')} that open Pie, ${count('hinders')} in the way, ${count('tells')} worth knowing.`
  return [...groups, summary].join('\n\n')
}

const describe = ({ object, what, why, mend, isSafe }: Finding): string =>
  [
    `  ${object} ${what}`,
    `    ${why}`,
    ...(mend === null ? [] : [mend.replaceAll(/^(?=.)/gm, '      ')]),
    ...(mend === null || isSafe ? [] : ['      (run by --mend only with --yes: look first)']),
  ].join('\n')
