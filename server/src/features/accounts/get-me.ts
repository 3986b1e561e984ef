import { readAsSession, type SessionCredential } from '../../ground/database/request-transaction.ts'
import type { Ground } from '../../ground/ground.ts'
import { readMe } from './queries.ts'
import type { User } from './user.ts'

/** The session's own user, read under row-level security. One round trip. */
export async function getMe(
  { reads }: Pick<Ground, 'reads'>,
  credential: SessionCredential,
): Promise<User> {
  return readAsSession<User>(reads, credential, readMe)
}
