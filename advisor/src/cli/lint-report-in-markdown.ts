import type { Finding } from '../lint/finding.ts'
import type { LintReport } from '../lint/lint-database.ts'
import { weights } from '../lint/weight.ts'
import { onOneLine, printable } from '../printable.ts'
import { type FindingGroup, groupFindings, meanings, plural } from './group-findings.ts'

/** GitHub takes 65,536 characters in a comment. */
const LIMIT = 65_000

/** By which whatever posts it finds the comment that it wrote before. */
const MARK = '<!-- pie-advisor -->'

/** For a pull request: counts by weight, and what was found in folds. Never longer than a comment may be. */
export function lintReportInMarkdown(
  report: LintReport & { presets?: readonly string[] },
  { homepage }: { homepage?: string | undefined } = {},
): string {
  const { findings, unseen } = report
  const head = [MARK, `### ${headline(report)}`, ...(findings.length > 0 ? [table(findings)] : [])]
  const foot = [...unseen.map((what) => `_Not seen: ${escaped(what)}_`), about(report, homepage)]
  const room = LIMIT - [...head, ...foot].join('\n\n').length - ROOM_FOR_NOTE
  const { folds, left } = fill(groupFindings(findings), room)
  const note =
    left === 0
      ? []
      : [
          `_${plural(left, 'finding')} more would not fit here: \`lint\` on the command line names all._`,
        ]
  const page = [...head, ...folds, ...note, ...foot].join('\n\n')
  return page.length <= LIMIT ? page : `${page.slice(0, LIMIT - 2)} …`
}

const ROOM_FOR_NOTE = 200

function headline({ schemas, findings, accepted }: LintReport): string {
  const count = findings.length === 0 ? 'No findings' : plural(findings.length, 'finding')
  const others = accepted === 0 ? '' : `, and ${accepted.toLocaleString('en-US')} accepted`
  return `advisor lint: ${count} in ${plural(schemas.length, 'schema')}${others}`
}

/** How it was looked at, and where the rules stand. */
function about(
  { presets = [], left_alone }: LintReport & { presets?: readonly string[] },
  homepage: string | undefined,
): string {
  const taken = presets.length === 0 ? 'as it is' : `with preset ${presets.map(escaped).join(', ')}`
  const left =
    left_alone.length === 0
      ? ''
      : `; left alone, but for policies: ${left_alone.map(escaped).join(', ')}`
  const rules =
    homepage === undefined
      ? 'docs/guides/lint.md, in the package of the advisor'
      : `[the guide](${homepage})`
  return `<sub>Looked at ${taken}${left}. What each rule means: ${rules}.</sub>`
}

function table(findings: readonly Finding[]): string {
  const lines = weights.flatMap((weight) => {
    const count = findings.filter((finding) => finding.weight === weight).length
    return count === 0
      ? []
      : [`| ${weight} | ${count.toLocaleString('en-US')} | ${meanings[weight]} |`]
  })
  return ['| weight | findings | |', '| --- | ---: | --- |', ...lines].join('\n')
}

/** As many as there is room for, the gravest first; of a group that does not fit whole, as many of its objects as do. */
function fill(groups: readonly FindingGroup[], room: number): { folds: string[]; left: number } {
  const folds: string[] = []
  let used = 0
  let left = 0
  for (const group of groups) {
    const [opening, closing] = fold(group)
    let text = opening
    let shown = 0
    for (const finding of group.findings) {
      const item = `\n\n${describeFinding(finding)}`
      if (used + text.length + item.length + closing.length + 2 > room) break
      text += item
      shown += 1
    }
    left += group.findings.length - shown
    if (shown === 0) continue
    folds.push(text + closing)
    used += text.length + closing.length + 2
  }
  return { folds, left }
}

function fold({ rule, weight, why, findings }: FindingGroup): [opening: string, closing: string] {
  return [
    `<details><summary><b>${weight}</b>: ${entities(rule)} (${findings.length.toLocaleString('en-US')})</summary>\n\n${escaped(why)}`,
    '\n\n</details>',
  ]
}

function describeFinding({ object, detail, mend }: Finding): string {
  const sql = printable(mend)
  const fence = '`'.repeat(Math.max(3, longestRun(sql) + 1))
  return [
    `${code(object)}${detail === null ? '' : `: ${escaped(detail)}`}`,
    `${fence}sql\n${sql}\n${fence}`,
  ].join('\n\n')
}

const longestRun = (text: string): number =>
  Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length))

/** As code, whatever backticks are in it. */
function code(text: string): string {
  const line = onOneLine(text)
  const fence = '`'.repeat(longestRun(line) + 1)
  return fence.length === 1 ? `\`${line}\`` : `${fence} ${line} ${fence}`
}

/** Marks of HTML, and those by which somebody would be named or an issue referred to. */
const entities = (text: string): string =>
  onOneLine(text).replaceAll(/[&<>@#]/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** Text that comes out as it is: no emphasis, table, link, picture or mention. */
const escaped = (text: string): string =>
  entities(text)
    .replaceAll(/[\\`*_{}[\]()|~!$]/g, '\\$&')
    .replaceAll('://', ':\u200b//')
