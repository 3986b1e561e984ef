import {
  requestTransaction,
  type SessionCredential,
} from '../../ground/database/request-transaction.ts'
import type { Ground } from '../../ground/ground.ts'
import { describeMe } from './queries.ts'
import type { User } from './user.ts'

/** The session's own user, read under row-level security. One round trip. */
export async function getMe(
  { requests }: Pick<Ground, 'requests'>,
  credential: SessionCredential,
): Promise<User> {
  const [rows] = await requestTransaction(requests, credential, describeMe)
  return rows?.[0]?.['user'] as User
}
