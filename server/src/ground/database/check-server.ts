import type pg from 'pg'
import { OperatorError } from '../errors.ts'

/**
 * The lowest minor version of each major that checks row-level security right when one connection
 * works as several roles (CVE-2024-10976). Pie's connections do nothing else.
 */
const fixedMinors: Record<number, number> = { 15: 9, 16: 5, 17: 1, 18: 0 }

/** @throws OperatorError when the server is too old to be trusted with row-level security */
export async function checkServer(owner: pg.Client): Promise<void> {
  const { rows } = await owner.query<{ version: string }>(
    `select current_setting('server_version_num') as version`,
  )
  const version = Number(rows[0]?.version)
  const major = Math.floor(version / 10_000)
  const minor = version % 10_000
  if (major < 15) {
    throw new OperatorError(
      `This Postgres is version ${major}.${minor}. Pie needs 15 or later: upgrade the server.`,
    )
  }
  const fixed = fixedMinors[major] ?? 0
  if (minor < fixed) {
    throw new OperatorError(
      `This Postgres is version ${major}.${minor}, which may apply one role's policies to another (CVE-2024-10976). ` +
        `Upgrade it to ${major}.${fixed} or later; a minor upgrade needs no dump.`,
    )
  }
}
