import { Command } from 'commander'
import { lintDatabase } from '../../lint/lint-database.ts'
import { readAcceptances } from '../../lint/read-acceptances.ts'
import { rules } from '../../lint/rules.ts'
import { type Advised, jsonOption, print } from '../advised.ts'
import { lintReportInWords } from '../lint-report-in-words.ts'

interface LintOptions {
  schema?: string[]
  role?: string[]
  accepted?: string
  json?: boolean
}

export function lintCommand({ program, address, onDatabase, names, alsoFound }: Advised): Command {
  const command = new Command('lint')
    .description('Hold a database against the rules that keep rows to those whose they are.')
    .option(
      '--schema <name>',
      'look at this schema; may be repeated (default: all but those of Postgres and of extensions)',
      again,
    )
    .option('--accepted <file>', 'findings that you live with (default: pie-lint.json, if there)')
    .option(...jsonOption)
    .addHelpText('after', help(`${program} lint${address === undefined ? '' : ' postgres://…'}`))
  if (address !== undefined) command.argument(address.flags, address.description)
  if (names.requestRoles === null)
    command.option('--role <name>', 'a role that requests act as; may be repeated', again)
  return command.action(async () => {
    const { schema, role, accepted, json = false } = command.opts<LintOptions>()
    const acceptances = await readAcceptances(accepted ?? null)
    const report = await onDatabase(command.args[0], async (client) =>
      lintDatabase(client, {
        schemas: schema ?? null,
        acceptances,
        least: 'style',
        also: (await alsoFound?.(client)) ?? [],
        names: { ...names, requestRoles: role ?? names.requestRoles },
      }),
    )
    print(report, lintReportInWords(report), { json })
    if (report.findings.length > 0) process.exitCode = 1
  })
}

const again = (name: string, others: string[] = []): string[] => [...others, name]

const help = (command: string): string => `
Reads the catalog and changes nothing. Each finding names the object, the rule, why it
matters, and the SQL that mends it. Ends with 1 when there are any, so that a build fails.

To live with one, say why in pie-lint.json:
  [{ "rule": "…", "object": "…", "reason": "…" }]
An entry without a reason, or whose finding is gone, is a finding.

Examples:
  ${command}
  ${command} --schema app --schema billing
  ${command} --json | jq -r '.findings[].mend'

Rules (docs/guides/lint.md says more of each):
${rules.map(({ name }) => `  ${name}`).join('\n')}`
