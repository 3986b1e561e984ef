import type { Finding } from '../lint/finding.ts'
import type { LintReport } from '../lint/lint-database.ts'

/** For people: object by object; the last line counts. */
export function lintReportInWords({ schemas, findings, accepted }: LintReport): string {
  const groups = [...Map.groupBy(findings, ({ object }) => object)].sort(([one], [other]) =>
    one < other ? -1 : 1,
  )
  const count = findings.length === 0 ? 'No findings' : plural(findings.length, 'finding')
  const summary =
    `${count} in ${plural(schemas.length, 'schema')} (${schemas.join(', ')})` +
    `${accepted === 0 ? '' : `, and ${accepted} accepted`}.`
  return [...groups.map(([object, found]) => describeObject(object, found)), summary].join('\n\n')
}

function describeObject(object: string, findings: Finding[]): string {
  const parts = findings.map(
    ({ rule, why, mend }) => `  ${rule}\n${wrap(why, '    ')}\n${indent(mend, '      ')}`,
  )
  return [object, ...parts].join('\n')
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

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
