import type { Statement } from '../../ground/database/pipeline.ts'
import { readAsSession, type SessionCredential } from '../../ground/database/request-transaction.ts'
import type { Ground } from '../../ground/ground.ts'
import type { User } from './user.ts'

/** The session's own user, read under row-level security. One round trip. */
export async function getMe(
  { reads }: Pick<Ground, 'reads'>,
  credential: SessionCredential,
): Promise<User> {
  return readAsSession<User>(reads, credential, readMe)
}

/** Claims the session by itself: for `readAsSession`. */
const readMe = (sessionId: string, proof: Buffer): Statement => ({
  name: 'read_me',
  text: 'select pie_private.read_me($1, $2) as user',
  values: [sessionId, proof],
})
