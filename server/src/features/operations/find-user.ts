import type pg from 'pg'
import { OperatorError } from '../../ground/errors.ts'
import { normalizeEmail } from '../accounts/normalize-email.ts'

export interface FoundUser {
  id: string
  email: string | null
  is_disabled: boolean
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** @throws OperatorError when there is no such user */
export async function findUser(owner: pg.ClientBase, subject: string): Promise<FoundUser> {
  const id = uuid.test(subject) ? subject : null
  const { rows } = await owner.query<FoundUser>(
    `select users.id, users.disabled_at is not null as is_disabled, (
       select user_emails.email from pie_schema.user_emails where user_emails.user_id = users.id and user_emails.is_primary
     ) as email
     from pie_schema.users
     where users.id = $1
       or users.id = (select user_emails.user_id from pie_schema.user_emails where user_emails.email = $2)`,
    [id, id === null ? normalizeEmail(subject) : null],
  )
  const [user] = rows
  if (user === undefined)
    throw new OperatorError(
      `There is no user with the ${id === null ? 'address' : 'id'} ${subject}.`,
    )
  return user
}
