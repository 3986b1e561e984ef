import type pg from 'pg'
import { lintDatabase, lintReportInWords, readAcceptances } from '../advisor/src/index.ts'
import { namesOfPie } from '../server/src/edge/cli/advised.ts'

/**
 * `pie lint --style` over the schemas of Pie, as anybody runs it on theirs. Prints the findings, and fails the script when
 * there are any, of whatever weight: an application's lint finds nothing of Pie's.
 */
export async function lintOwnSchemas(owner: pg.Client): Promise<void> {
  const report = await lintDatabase(owner, {
    schemas: ['pie_schema', 'pie_private', 'pie_hooks'],
    acceptances: await readAcceptances('database/pie-lint.json'),
    least: 'style',
    names: namesOfPie,
  })
  if (report.findings.length === 0) return
  process.stderr.write(`pie lint --style on a fresh database:\n\n${lintReportInWords(report)}\n`)
  process.exitCode = 1
}
