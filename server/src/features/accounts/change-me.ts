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
  { requests, trust }: Pick<Ground, 'requests' | 'trust'>,
  credential: SessionCredential,
  change: ChangeToMe,
): Promise<User> {
  const name = normalizeName(change.name)
  const [changed, rows] = await requestTransaction(
    requests,
    credential,
    changeMyName(name),
    describeMe,
  )
  const user = rows?.[0]?.['user'] as User
  trust.hear({ row: `user ${user.id}`, version: Number(changed?.[0]?.['version']) })
  return user
}
