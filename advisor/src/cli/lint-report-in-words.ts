import type { Finding } from '../lint/finding.ts'
import type { LintReport } from '../lint/lint-database.ts'
import { type Weight, weights } from '../lint/weight.ts'
import { onOneLine, printable } from '../printable.ts'
import {
  countByWeight,
  type FindingGroup,
  groupFindings,
  meanings,
  plural,
} from './group-findings.ts'

/** Where nobody can scroll back: objects of a group that are named. */
const FIRST_OF_A_GROUP = 20

/**
 * For people: by weight and rule, what is broken and what mends it; the last line counts.
 * @param isCut whether long groups are cut, for a terminal
 */
export function lintReportInWords(
  { schemas, findings, accepted, left_alone, unseen }: LintReport,
  { isCut = false }: { isCut?: boolean } = {},
): string {
  const groups = groupFindings(findings)
  const count =
    findings.length === 0
      ? 'No findings'
      : `${plural(findings.length, 'finding')} (${countByWeight(findings)})`
  const summary =
    `${count} in ${plural(schemas.length, 'schema')} (${schemas.map(onOneLine).join(', ')})` +
    `${accepted === 0 ? '' : `, and ${accepted.toLocaleString('en-US')} accepted`}.`
  return [
    ...weights.flatMap((weight) => describeWeight(weight, groups, isCut)),
    ...(left_alone.length === 0
      ? []
      : [wrap(`Left alone, but for policies: ${left_alone.map(onOneLine).join(', ')}.`, '')]),
    ...unseen.map((what) => wrap(`Not seen: ${onOneLine(what)}`, '')),
    wrap(summary, ''),
  ].join('\n\n')
}

function describeWeight(weight: Weight, groups: readonly FindingGroup[], isCut: boolean): string[] {
  const ofWeight = groups.filter((group) => group.weight === weight)
  if (ofWeight.length === 0) return []
  return [
    `${weight.toUpperCase()}: ${meanings[weight]}`,
    ...ofWeight.map((group) => describeGroup(group, isCut)),
  ]
}

function describeGroup({ rule, why, findings }: FindingGroup, isCut: boolean): string {
  const shown = isCut ? findings.slice(0, FIRST_OF_A_GROUP) : findings
  const left = findings.length - shown.length
  return [
    `${onOneLine(rule)}${findings.length > 1 ? ` (${findings.length.toLocaleString('en-US')})` : ''}`,
    wrap(onOneLine(why), '  '),
    ...shown.map(describeFinding),
    ...(left > 0 ? [`  … and ${left.toLocaleString('en-US')} more: --all`] : []),
  ].join('\n')
}

const describeFinding = ({ object, detail, mend }: Finding): string =>
  [
    `  - ${onOneLine(object)}`,
    ...(detail === null ? [] : [wrap(onOneLine(detail), '    ')]),
    indent(printable(mend), '      '),
  ].join('\n')

const indent = (text: string, margin: string): string => text.replaceAll(/^(?=.)/gm, margin)

/** So that a line can be read beside another. */
const LINE_WIDTH = 96

function wrap(text: string, margin: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = `${lines.at(-1)}${lines.at(-1) === '' ? '' : ' '}${word}`
    if (margin.length + line.length > LINE_WIDTH) lines.push(word)
    else lines[lines.length - 1] = line
  }
  return lines.map((line) => `${margin}${line}`).join('\n')
}
