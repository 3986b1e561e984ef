import type pg from 'pg'
import { OperatorError } from '../../ground/errors.ts'
import { checkThereIs } from './check-there-is.ts'
import { normalizeEmail } from './normalize-email.ts'

/** What an operator does with a role; each is a function of the database, which keeps the audit log. */
const changes = {
  grant: 'select pie_private.grant_role($1, $2) as is_user',
  revoke: 'select pie_private.revoke_role($1, $2) as is_user',
}

/**
 * Gives or takes an application role, as the operator. Doing it twice is the same as once.
 * @throws OperatorError when there is no such user or role; Refusal `invalid_request` for a malformed address
 */
export async function changeRoles(
  owner: pg.Client,
  change: keyof typeof changes,
  { email: given, role }: { email: string; role: string },
): Promise<{ email: string; role: string }> {
  const email = normalizeEmail(given)
  await checkThereIs(owner, 'role', role)
  const { rows } = await owner.query<{ is_user: boolean }>(changes[change], [email, role])
  if (rows[0]?.is_user !== true)
    throw new OperatorError(`There is no user with the address ${email}.`)
  return { email, role }
}
