import type pg from 'pg'
import type { Finding } from './finding.ts'

export interface Mended {
  /** The statements that ran. */
  ran: string[]
  /** Those that did not, each with Postgres' reason. */
  failed: { mend: string; reason: string }[]
}

/** Runs what is safe of what mends findings, each in a transaction of its own. */
export async function mend(owner: pg.Client, findings: readonly Finding[]): Promise<Mended> {
  const ran: string[] = []
  const failed: Mended['failed'] = []
  const mends = findings.flatMap(({ mend, isSafe }) => (mend !== null && isSafe ? [mend] : []))
  for (const statement of new Set(mends)) {
    try {
      // Several statements in one query are one transaction. Postgres warns where it had nothing to do.
      await owner.query(statement)
      ran.push(statement)
    } catch (error) {
      failed.push({ mend: statement, reason: (error as Error).message })
    }
  }
  return { ran, failed }
}
