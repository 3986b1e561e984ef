import type pg from 'pg'
import { OperatorError } from '../../ground/errors.ts'
import { normalizeEmail } from '../accounts/normalize-email.ts'
import { checkUser } from './list-all-sessions.ts'

const sessionId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Ends a session, or every session of a user, as the operator. Every node refuses them within
 * milliseconds. Returns how many have been ended.
 *
 * @param subject a session's id, or a user's address
 * @throws OperatorError when there is no such user, or the session has ended or never was
 */
export async function revokeSessions(owner: pg.Client, subject: string): Promise<number> {
  const id = sessionId.test(subject) ? subject : null
  const email = id === null ? normalizeEmail(subject) : null
  const { rows } = await owner.query<{ ended: number }>(
    'select pie_private.revoke_sessions($1, $2) as ended',
    [id, email],
  )
  const ended = rows[0]?.ended ?? 0
  if (ended === 0 && id !== null) throw new OperatorError(`There is no live session ${id}.`)
  if (ended === 0 && email !== null) await checkUser(owner, email)
  return ended
}
