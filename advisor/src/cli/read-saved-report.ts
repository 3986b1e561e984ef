import { readFile } from 'node:fs/promises'
import { AdvisorError } from '../errors.ts'
import type { Finding } from '../lint/finding.ts'
import type { LintReport } from '../lint/lint-database.ts'
import { weights } from '../lint/weight.ts'

/**
 * Reads a report that `lint --json` has printed.
 * @throws AdvisorError when it is none
 */
export async function readSavedReport(file: string): Promise<LintReport> {
  let report: unknown
  try {
    report = JSON.parse(await readFile(file, 'utf8'))
  } catch (cause) {
    throw new AdvisorError(`Could not read ${file}: ${(cause as Error).message}.`, { cause })
  }
  if (!isReport(report))
    throw new AdvisorError(`${file} is no report as lint --json prints it: make it anew.`)
  return { ...report, left_alone: isTexts(report.left_alone) ? report.left_alone : [] }
}

function isReport(value: unknown): value is LintReport {
  const { schemas, findings, accepted, unseen } = (value ?? {}) as Partial<LintReport>
  return (
    isTexts(schemas) &&
    isTexts(unseen) &&
    typeof accepted === 'number' &&
    Array.isArray(findings) &&
    findings.every(isFinding)
  )
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((text) => typeof text === 'string')

function isFinding(value: unknown): value is Finding {
  const { rule, weight, object, why, detail, mend } = (value ?? {}) as Partial<Finding>
  return (
    isTexts([rule, object, why, mend]) &&
    (detail === null || typeof detail === 'string') &&
    weights.some((known) => known === weight)
  )
}
