import { createHash } from 'node:crypto'
import type { Finding } from '../lint/finding.ts'
import type { LintReport } from '../lint/lint-database.ts'
import { isAtLeast, type Weight } from '../lint/weight.ts'
import { onOneLine, printable } from '../printable.ts'
import { groupFindings, meanings } from './group-findings.ts'

export interface SarifPage {
  /** The advisor's. */
  version: string
  /** Where it is explained, if anywhere. */
  homepage?: string | undefined
  /** The file of the repository that findings are said to be in, relative to its root, with slashes. */
  file: string
}

/** As SARIF has it, and as GitHub's code scanning reads it: above 9 critical, from 7 high, from 4 medium. */
const grades: Readonly<
  Record<Weight, { level: 'error' | 'warning' | 'note'; severity: string | null }>
> = {
  hole: { level: 'error', severity: '9.1' },
  leak: { level: 'error', severity: '7.5' },
  failure: { level: 'warning', severity: null },
  slow: { level: 'warning', severity: null },
  style: { level: 'note', severity: null },
}

/** GitHub refuses a file with more. */
const RESULT_LIMIT = 25_000

/**
 * SARIF 2.1.0, which code scanning takes. A database has no lines: each result names its object as a logical location, and
 * a file of the repository as the physical one, without which GitHub shows nothing.
 */
export function lintReportInSarif(
  report: LintReport,
  { version, homepage, file }: SarifPage,
): object {
  const byWeight = groupFindings(report.findings).flatMap((group) => group.findings)
  const shown = byWeight.slice(0, RESULT_LIMIT)
  const left = byWeight.length - shown.length
  const notes = [
    ...report.unseen.map((what) => `Not seen: ${what}`),
    ...(report.left_alone.length > 0
      ? [`Left alone, but for policies: ${report.left_alone.join(', ')}`]
      : []),
    ...(left > 0
      ? [`${left} more would not be taken, and are left out: lint --json has all.`]
      : []),
  ]
  const rules = describeRules(shown, homepage)
  const indexes = new Map(rules.map(({ id }, index) => [id, index]))
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Pie advisor',
            semanticVersion: version,
            ...(homepage !== undefined && { informationUri: homepage }),
            rules,
          },
        },
        automationDetails: { id: 'pie-advisor/' },
        columnKind: 'utf16CodeUnits',
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: notes.map((note) => ({
              level: 'warning',
              message: { text: inBraces(onOneLine(note)) },
            })),
          },
        ],
        results: shown.map((finding) => describeResult(finding, indexes, file)),
      },
    ],
  }
}

function describeRules(findings: readonly Finding[], homepage: string | undefined) {
  const byRule = [...Map.groupBy(findings, ({ rule }) => rule)]
  return byRule.map(([rule, [first, ...others]]) => {
    const gravest = others.reduce(
      (weight, other) => (isAtLeast(other.weight, weight) ? other.weight : weight),
      first?.weight ?? 'style',
    )
    const { level, severity } = grades[gravest]
    const why = onOneLine(first?.why ?? '')
    return {
      id: rule,
      name: rule,
      shortDescription: { text: inBraces(shorten(rule.replaceAll('-', ' '))) },
      fullDescription: { text: inBraces(shorten(why)) },
      help: {
        text: inBraces(`${why} (${gravest}: ${meanings[gravest]})`),
        markdown: `${inBraces(why)}\n\n**${gravest}**: ${meanings[gravest]}`,
      },
      ...(homepage !== undefined && { helpUri: `${homepage}#${rule}` }),
      defaultConfiguration: { level },
      properties: {
        tags: ['postgresql', severity === null ? 'quality' : 'security', gravest],
        precision: 'high',
        'problem.severity': level === 'note' ? 'recommendation' : level,
        ...(severity !== null && { 'security-severity': severity }),
      },
    }
  })
}

function describeResult(finding: Finding, indexes: ReadonlyMap<string, number>, file: string) {
  const { rule, weight, object, why, detail, mend } = finding
  const print = createHash('sha256')
    .update(JSON.stringify([rule, object]))
    .digest('hex')
  return {
    ruleId: rule,
    ruleIndex: indexes.get(rule) ?? -1,
    level: grades[weight].level,
    message: {
      text: `${inBraces(`${onOneLine(object)}: ${onOneLine(detail ?? why)}`)}\n\n${mendText(mend)}`,
    },
    locations: [
      {
        // A line that is always the same: what tells results apart is their fingerprint.
        physicalLocation: {
          artifactLocation: { uri: encodeURI(file) },
          region: { startLine: 1, startColumn: 1, endLine: 1, endColumn: 2 },
        },
        logicalLocations: [{ fullyQualifiedName: object, kind: kindOf(object) }],
      },
    ],
    // Of the names alone: a finding is the same one wherever it stands in a report, and however it is explained.
    partialFingerprints: {
      primaryLocationLineHash: `${print.slice(0, 16)}:1`,
      'ruleAndObject/v1': print,
    },
    properties: { weight, mend },
  }
}

/** In a message, braces are written twice, which SQL would not survive: where there are any, it is only among the properties. */
const mendText = (mend: string): string =>
  /[{}]/.test(mend)
    ? 'The mend is among its properties, and in lint --mends.'
    : `Mend:\n${printable(mend)}`

const inBraces = (text: string): string => text.replaceAll(/[{}]/g, '$&$&')

/** GitHub takes no more. */
const DESCRIPTION_LIMIT = 1024

const shorten = (text: string): string =>
  text.length <= DESCRIPTION_LIMIT ? text : `${text.slice(0, DESCRIPTION_LIMIT - 1)}…`

/** `table app.notes`: a table. SARIF has names for the parts of programs, and lets others be said. */
const kindOf = (object: string): string => /^[a-z]+/.exec(object)?.[0] ?? 'object'
