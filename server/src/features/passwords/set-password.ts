import type pg from 'pg'
import { OperatorError } from '../../ground/errors.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import { normalizeEmail } from '../accounts/normalize-email.ts'
import { hashNewPassword } from './hash-new-password.ts'

/**
 * Sets a user's password as the operator, and ends every session of theirs. A disabled user stays disabled.
 *
 * @returns how many sessions have been ended
 * @throws OperatorError when there is no such user; Refusal `invalid_request`, `weak_password`
 */
export async function setPassword(
  ground: Pick<Ground, 'hasher'> & PolicyOf<'service' | 'passwords'>,
  owner: pg.Client,
  { email: given, password }: { email: string; password: string },
): Promise<{ email: string; ended: number }> {
  const email = normalizeEmail(given)
  const { rows: users } = await owner.query<{ name: string | null }>(
    `select users.name from pie_schema.users
     join pie_schema.user_emails on user_emails.user_id = users.id where user_emails.email = $1`,
    [email],
  )
  const [user] = users
  // Before the hashing, so that a mistyped address is not answered with what is wrong with the password.
  if (user === undefined) throw noSuchUser(email)
  const hash = await hashNewPassword(ground, password, [email, user.name])
  const { rows } = await owner.query<{ ended: number | null }>(
    'select pie_private.set_user_password($1, $2) as ended',
    [email, hash],
  )
  const ended = rows[0]?.ended ?? null
  if (ended === null) throw noSuchUser(email)
  return { email, ended }
}

const noSuchUser = (email: string) =>
  new OperatorError(`There is no user with the address ${email}.`)
