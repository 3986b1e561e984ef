import type pg from 'pg'
import { splitStatements } from '../../../ground/database/split-statements.ts'
import type { Finding } from './finding.ts'

export interface Mended {
  /** The statements that ran. */
  ran: string[]
  /** Those that did not, each with Postgres' reason. */
  failed: { mend: string; reason: string }[]
}

/** Several statements in one query are one transaction, but for what runs in none. Postgres warns where it had nothing to do. */
const queriesOf = (mend: string): string[] => {
  const starts = splitStatements(mend)
  const statements = starts.map((start, index) => mend.slice(start, starts[index + 1]))
  return statements.some((statement) => /^rollback prepared /.test(statement)) ? statements : [mend]
}

/** Runs what is safe of what mends findings, each in a transaction of its own. */
export async function mend(owner: pg.Client, findings: readonly Finding[]): Promise<Mended> {
  const ran: string[] = []
  const failed: Mended['failed'] = []
  const mends = findings.flatMap(({ mend, isSafe }) => (mend !== null && isSafe ? [mend] : []))
  for (const statement of new Set(mends)) {
    try {
      for (const query of queriesOf(statement)) await owner.query(query)
      ran.push(statement)
    } catch (error) {
      failed.push({ mend: statement, reason: (error as Error).message })
    }
  }
  return { ran, failed }
}
