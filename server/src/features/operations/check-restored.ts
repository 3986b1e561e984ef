import type pg from 'pg'
import { OperatorError } from '../../ground/errors.ts'

export interface Restored {
  users: number
  /** Sessions that are alive, those among them that have been ended since. */
  sessions: number
}

/**
 * Looks at a database that has been restored.
 * @throws OperatorError when a signing key of the backup is not in it
 */
export async function checkRestored(owner: pg.Client, kids: readonly string[]): Promise<Restored> {
  const { rows } = await owner.query<Restored & { kids: string[] }>(
    `select (select count(*) from pie_schema.users)::integer as users,
       (select count(*) from pie_private.sessions
        where revoked_at is null and successor_id is null and absolute_expires_at > now()
          and (kind = 'browser' or expires_at > now()))::integer as sessions,
       array(select signing_keys.kid from pie_private.signing_keys) as kids`,
  )
  const { users, sessions, kids: found } = rows[0] ?? { users: 0, sessions: 0, kids: [] }
  const missing = kids.find((kid) => !found.includes(kid))
  if (missing !== undefined)
    throw new OperatorError(
      `What was restored is not what the backup says: the signing key ${missing} is missing. Use another one.`,
    )
  if (kids.length === 0 && found.length > 0)
    throw new OperatorError(
      'The backup names no signing key, and there are some in it: it was changed, and proves no SECRET_KEY. Use another one.',
    )
  return { users, sessions }
}
