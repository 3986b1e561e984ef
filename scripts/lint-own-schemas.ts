import type pg from 'pg'
import { describeLintReport } from '../server/src/edge/cli/describe-lint-report.ts'
import { lintDatabase } from '../server/src/features/lint/lint-database.ts'
import { readAcceptances } from '../server/src/features/lint/read-acceptances.ts'

/** `pie lint` over the schemas of Pie. Prints the findings, and fails the script when there are any. */
export async function lintOwnSchemas(owner: pg.Client): Promise<void> {
  const report = await lintDatabase(owner, {
    schemas: ['pie_schema', 'pie_private', 'pie_hooks'],
    acceptances: await readAcceptances('database/pie-lint.json'),
  })
  if (report.findings.length === 0) return
  process.stderr.write(`pie lint on a fresh database:\n\n${describeLintReport(report)}\n`)
  process.exitCode = 1
}
