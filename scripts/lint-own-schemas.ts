import type pg from 'pg'
import { lintDatabase, lintReportInWords, readAcceptances } from '../advisor/src/index.ts'
import { namesOfPie } from '../server/src/edge/cli/advised.ts'

/** `pie lint` over the schemas of Pie. Prints the findings, and fails the script when there are any. */
export async function lintOwnSchemas(owner: pg.Client): Promise<void> {
  const report = await lintDatabase(owner, {
    schemas: ['pie_schema', 'pie_private', 'pie_hooks'],
    acceptances: await readAcceptances('database/pie-lint.json'),
    least: 'style',
    names: namesOfPie,
  })
  if (report.findings.length === 0) return
  process.stderr.write(`pie lint on a fresh database:\n\n${lintReportInWords(report)}\n`)
  process.exitCode = 1
}
