import { Command } from 'commander'
import { type LintReport, lintDatabase } from '../../lint/lint-database.ts'
import { readAcceptances } from '../../lint/read-acceptances.ts'
import { rules } from '../../lint/rules.ts'
import { isAtLeast, weights } from '../../lint/weight.ts'
import { ownPackage } from '../../own-package.ts'
import type { Advised } from '../advised.ts'
import { countByWeight, meanings } from '../group-findings.ts'
import { keepMemorySmall } from '../keep-memory-small.ts'
import { type LintRequest, lintOptions, readLintOptions } from '../lint-options.ts'
import { lintReportInMarkdown } from '../lint-report-in-markdown.ts'
import { lintReportInSarif } from '../lint-report-in-sarif.ts'
import { lintReportInWords } from '../lint-report-in-words.ts'
import { mendsInOrder } from '../mends-in-order.ts'
import { namesByPreset } from '../preset-option.ts'
import { readSavedReport } from '../read-saved-report.ts'
import { showProgress } from '../show-progress.ts'
import { writeReport } from '../write-report.ts'

export function lintCommand(advised: Advised): Command {
  const { program, address, names } = advised
  const command = new Command('lint')
    .description('Hold a database against the rules that keep rows to those whose they are.')
    .addHelpText('after', help(`${program} lint${address === undefined ? '' : ' postgres://…'}`))
  lintOptions(command, names)
  if (address !== undefined) command.argument(address.flags, address.description)
  return command.action(async () => {
    const request = readLintOptions(command)
    const report =
      request.from === null ? await look(advised, request) : await readSavedReport(request.from)
    await writeReport(inFormat(report, request), request.output)
    if (request.output !== null)
      process.stderr.write(
        `${request.output}: ${countByWeight(report.findings) || 'no findings'}\n`,
      )
    const { failOn } = request
    if (failOn !== 'never' && report.findings.some(({ weight }) => isAtLeast(weight, failOn)))
      process.exitCode = 1
  })
}

async function look(
  advised: Advised,
  { schemas, roles, address, preset, trustedSettings, accepted, least }: LintRequest,
): Promise<LintReport & { presets: string[] }> {
  keepMemorySmall()
  const acceptances = await readAcceptances(accepted)
  const progress = showProgress('Linting')
  try {
    return await advised.onDatabase(address, async (client) => {
      const { presets, names: taken } = await namesByPreset(advised, client, preset, roles)
      const identitySettings = [...taken.identitySettings, ...trustedSettings]
      const names = { ...taken, identitySettings }
      const also = (await advised.alsoFound?.(client)) ?? []
      const onProgress = progress.tell
      const question = { schemas, acceptances, least, also, names, onProgress }
      return { presets, ...(await lintDatabase(client, question)) }
    })
  } finally {
    progress.end()
  }
}

function inFormat(report: LintReport, { format, output, all, sarifFile }: LintRequest): string {
  switch (format) {
    case 'json':
      return JSON.stringify(report)
    case 'sarif':
      return JSON.stringify(lintReportInSarif(report, { ...ownPackage, file: sarifFile }))
    case 'markdown':
      return lintReportInMarkdown(report, ownPackage)
    case 'mends':
      return mendsInOrder(report.findings)
    case 'words':
      return lintReportInWords(report, {
        isCut: !all && output === null && process.stdout.isTTY === true,
      })
  }
}

const help = (command: string): string => `
Reads the catalog, in a transaction that cannot write, and changes nothing. Findings have a weight:
${weights.map((weight) => `  ${weight.padEnd(8)} ${meanings[weight]}`).join('\n')}
Each finding names the rule, why it matters, the object, and the SQL that mends it. Ends with 1
when there is one of the weight that --fail-on says, or a graver one, so that a build fails.

To live with one, say why in pie-lint.json:
  [{ "rule": "…", "object": "…", "reason": "…" }]
A star at the end of an object stands for all that begin so. An entry without a reason, or whose
finding is gone, is a finding.

Examples:
  ${command}
  ${command} --schema app billing --style
  ${command} --trust-setting app.user_id
  ${command} --fail-on leak --markdown --output lint.md
  ${command} --json --output report.json; ${command.split(' ').slice(0, 2).join(' ')} --from report.json --sarif
  ${command} --mends > mends.sql

Rules (docs/guides/lint.md, in the package @pie/advisor too, says more of each):
${rules.map(({ name }) => `  ${name}`).join('\n')}`
