import type pg from 'pg'
import {
  type AccessQuestion,
  type Explanation,
  explainAccess as explainAccessOf,
  type Subject,
} from '../../../../advisor/src/index.ts'
import type { Ground } from '../../ground/ground.ts'
import { becomeUser } from './become-user.ts'
import { findUser } from './find-user.ts'

/**
 * Says why a user can or cannot do something, by being that user for a transaction that is rolled back.
 * @param user an address or an id
 * @throws OperatorError for a user that is not there; AdvisorError for a table, column or key that is not
 */
export function explainAccess(
  { keys }: Pick<Ground, 'keys'>,
  owner: pg.Client,
  user: string,
  asked: AccessQuestion,
): Promise<Explanation> {
  let id: string
  const subject: Subject = {
    find: async (client) => {
      const found = await findUser(client, user)
      id = found.id
      return found
    },
    become: (client) => becomeUser(client, keys, id),
  }
  return explainAccessOf(owner, subject, asked)
}
