import type pg from 'pg'
import { OperatorError } from '../../ground/errors.ts'
import { normalizeEmail } from '../accounts/normalize-email.ts'
import { describeDevice } from './describe-device.ts'

/** A session as an operator sees it. */
export interface OperatorsSession {
  id: string
  email: string | null
  kind: string
  device: string
  address: string | null
  created_at: Date
  last_seen_at: Date
  expires_at: Date
}

type SessionRow = Omit<OperatorsSession, 'device'> & { user_agent: string | null }

/**
 * The sessions of one user, or of everybody, the last used first; also expired ones that may be renewed.
 * @throws OperatorError when there is no such user
 */
export async function listAllSessions(
  owner: pg.Client,
  { email: given, most }: { email: string | null; most: number },
): Promise<OperatorsSession[]> {
  const email = given === null ? null : normalizeEmail(given)
  const { rows } = await owner.query<SessionRow>(
    'select * from pie_private.list_sessions($1, $2)',
    [email, most],
  )
  if (rows.length === 0 && email !== null) await checkUser(owner, email)
  return rows.map(({ user_agent, ...row }) => ({
    ...row,
    device: describeDevice(user_agent).description,
  }))
}

/** @throws OperatorError when nobody has this address */
export async function checkUser(owner: pg.Client, email: string): Promise<void> {
  const { rows } = await owner.query<{ is_user: boolean }>(
    'select pie_private.is_user($1) as is_user',
    [email],
  )
  if (rows[0]?.is_user !== true)
    throw new OperatorError(`There is no user with the address ${email}.`)
}
