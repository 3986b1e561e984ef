import type pg from 'pg'
import { OperatorError } from '../../ground/errors.ts'
import { normalizeEmail } from './normalize-email.ts'

/** What an operator does with a user; each is a function of the database, which keeps the audit log. */
const changes = {
  disable: 'select pie_private.disable_user($1) as is_user',
  enable: 'select pie_private.enable_user($1) as is_user',
  delete: 'select pie_private.delete_user($1) as is_user',
}

export type UserStateChange = keyof typeof changes

/**
 * Disables a user, which ends their sessions on every node; lets them in again; or deletes them with all
 * that is theirs. Doing it twice is the same as once, but for deleting.
 *
 * @throws OperatorError when there is no such user; Refusal `invalid_request` for a malformed address
 */
export async function changeUserState(
  owner: pg.Client,
  change: UserStateChange,
  given: string,
): Promise<{ email: string }> {
  const email = normalizeEmail(given)
  const { rows } = await owner.query<{ is_user: boolean }>(changes[change], [email])
  if (rows[0]?.is_user !== true)
    throw new OperatorError(`There is no user with the address ${email}.`)
  return { email }
}
