import type { Statement } from '../../ground/database/pipeline.ts'
import type { Policy } from '../../ground/policy.ts'

export interface UserToMake {
  id: string
  email: string
  name: string | null
  passwordHash: string
  /** From where they register; null for one that an operator makes. */
  address: string | null
}

/**
 * What makes a user, in one transaction: how a failing hook is taken (see 0023-hooks.sql), then the user. The
 * second returns null in place of the id when the address is another user's.
 */
export function makeUser(
  { accounts }: Pick<Policy, 'accounts'>,
  { id, email, name, passwordHash, address }: UserToMake,
): [Statement, Statement] {
  return [
    {
      name: 'decide_hook_failures',
      text: "select set_config('pie.hook_failures', $1, true)",
      values: [accounts.hookFailures],
    },
    {
      name: 'register_user',
      text: 'select pie_private.register_user($1, $2, $3, $4, $5) as id',
      values: [id, email, name, passwordHash, address],
    },
  ]
}
