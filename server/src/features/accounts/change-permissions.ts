import type pg from 'pg'
import { checkThereIs } from './check-there-is.ts'

/** What an operator does with a permission; each is a function of the database, which keeps the audit log. */
const changes = {
  grant: 'select pie_private.grant_permission($1, $2)',
  revoke: 'select pie_private.revoke_permission($1, $2)',
}

/**
 * Gives a role a permission or takes it, as the operator. Doing it twice is the same as once.
 * @throws OperatorError when there is no such permission or role
 */
export async function changePermissions(
  owner: pg.Client,
  change: keyof typeof changes,
  { permission, role }: { permission: string; role: string },
): Promise<{ permission: string; role: string }> {
  await checkThereIs(owner, 'permission', permission)
  await checkThereIs(owner, 'role', role)
  await owner.query(changes[change], [permission, role])
  return { permission, role }
}
