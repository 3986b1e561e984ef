import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { toRefusal } from '../../ground/database/lost-connection.ts'
import { Refusal } from '../../ground/errors.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import { normalizeEmail } from '../accounts/normalize-email.ts'
import { normalizeName } from '../accounts/normalize-name.ts'
import { hashNewPassword } from '../passwords/hash-new-password.ts'
import { makeUser } from './make-user.ts'

export interface UserToCreate {
  email: string
  password: string
  name: string | null
  /** Application roles, besides `viewer`, which every user has. */
  roles: string[]
}

/**
 * Makes a user as the operator, whether or not registration is open.
 * @throws Refusal `invalid_request`, `weak_password`, `email_taken`
 */
export async function createUser(
  ground: Pick<Ground, 'hasher'> & PolicyOf<'service' | 'accounts' | 'passwords'>,
  owner: pg.Client,
  user: UserToCreate,
): Promise<{ id: string; email: string }> {
  const email = normalizeEmail(user.email)
  const name = normalizeName(user.name)
  const passwordHash = await hashNewPassword(ground, user.password, [email, name])
  const [decide, make] = makeUser(ground.policy, {
    id: randomUUID(),
    email,
    name,
    passwordHash,
    address: null,
  })
  await owner.query('begin')
  try {
    await owner.query(decide.text, [...decide.values])
    const { rows } = await owner.query<{ id: string | null }>(make.text, [...make.values])
    const id = rows[0]?.id
    if (typeof id !== 'string') throw new Refusal('email_taken')
    for (const role of user.roles)
      await owner.query('select pie_private.grant_role($1, $2)', [email, role])
    await owner.query('commit')
    return { id, email }
  } catch (error) {
    await owner.query('rollback')
    throw error instanceof Refusal ? error : toRefusal(error)
  }
}
