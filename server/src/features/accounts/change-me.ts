import {
  requestTransaction,
  type SessionCredential,
} from '../../ground/database/request-transaction.ts'
import type { Ground } from '../../ground/ground.ts'
import { normalizeName } from './normalize-name.ts'
import { changeMyName, describeMe } from './queries.ts'
import type { User } from './user.ts'

export interface ChangeToMe {
  /** The new name; null takes it away. */
  name: string | null
}

/** Changes the session's own user, written under row-level security. One round trip. */
export async function changeMe(
  { requests }: Pick<Ground, 'requests'>,
  credential: SessionCredential,
  change: ChangeToMe,
): Promise<User> {
  const name = normalizeName(change.name)
  const [, rows] = await requestTransaction(requests, credential, changeMyName(name), describeMe)
  return rows?.[0]?.['user'] as User
}
