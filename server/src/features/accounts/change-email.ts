import type pg from 'pg'
import { OperatorError } from '../../ground/errors.ts'
import { normalizeEmail } from './normalize-email.ts'

interface Outcome {
  outcome: 'changed' | 'taken' | 'unknown'
  old_email: string | null
}

/**
 * Gives a user another primary address, which is then not verified, as the operator. Their sessions go on.
 *
 * @param given an address of the user's
 * @throws OperatorError when there is no such user, or the new address is taken; Refusal `invalid_request`
 *   for a malformed one
 */
export async function changeEmail(
  owner: pg.Client,
  given: string,
  givenNew: string,
): Promise<{ old_email: string | null; email: string }> {
  const email = normalizeEmail(given)
  const newEmail = normalizeEmail(givenNew, '/new_email')
  const { rows } = await owner.query<Outcome>(
    'select outcome, old_email from pie_private.change_user_email($1, $2)',
    [email, newEmail],
  )
  const [{ outcome, old_email } = { outcome: 'unknown', old_email: null }] = rows
  if (outcome === 'unknown') throw new OperatorError(`There is no user with the address ${email}.`)
  if (outcome === 'taken') {
    throw new OperatorError(
      old_email === newEmail
        ? `${newEmail} is this user's address already.`
        : `The address ${newEmail} is taken. pie user show ${newEmail} says by whom.`,
    )
  }
  return { old_email, email: newEmail }
}
