import { Command } from 'commander'
import { lintDatabase } from '../../../features/lint/lint-database.ts'
import { readAcceptances } from '../../../features/lint/read-acceptances.ts'
import { rules } from '../../../features/lint/rules.ts'
import { describeLintReport } from '../describe-lint-report.ts'
import { jsonOption, print } from '../print.ts'
import type { Workplace } from '../workplace.ts'

interface LintOptions {
  schema?: string[]
  accepted?: string
  json?: boolean
}

export function lintCommand({ asOwner }: Workplace): Command {
  return new Command('lint')
    .description('Hold the database against the rules that keep rows to those whose they are.')
    .option(
      '--schema <name>',
      'look at this schema; may be repeated (default: all but those of Postgres and of extensions)',
      (name: string, others: string[] = []) => [...others, name],
    )
    .option('--accepted <file>', 'findings that you live with (default: pie-lint.json, if there)')
    .option(...jsonOption)
    .addHelpText('after', help)
    .action(async ({ schema, accepted, json = false }: LintOptions) => {
      const acceptances = await readAcceptances(accepted ?? null)
      const report = await asOwner(({ owner }) =>
        lintDatabase(owner, { schemas: schema ?? null, acceptances }),
      )
      print(report, describeLintReport(report), { json })
      if (report.findings.length > 0) process.exitCode = 1
    })
}

const help = `
Reads the catalog and changes nothing. Each finding names the object, the rule, why it
matters, and the SQL that mends it. Ends with 1 when there are any, so that a build fails.

To live with one, say why in pie-lint.json:
  [{ "rule": "…", "object": "…", "reason": "…" }]
An entry without a reason, or whose finding is gone, is a finding.

Examples:
  pie lint
  pie lint --schema app --schema billing
  pie lint --json | jq -r '.findings[].mend'

Rules (docs/guides/lint.md says more of each):
${rules.map(({ name }) => `  ${name}`).join('\n')}`
