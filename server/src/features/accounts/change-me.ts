import type { Statement } from '../../ground/database/pipeline.ts'
import {
  requestTransaction,
  type SessionCredential,
} from '../../ground/database/request-transaction.ts'
import type { Ground } from '../../ground/ground.ts'
import { normalizeName } from './normalize-name.ts'
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

/** To be run in a request transaction: row-level security shows it the session's own user. */
const describeMe: Statement = {
  name: 'describe_me',
  text: 'select description as user from pie_schema.user_descriptions where id = (select pie_schema.current_user_id())',
  values: [],
}

const changeMyName = (name: string | null): Statement => ({
  name: 'change_my_name',
  text: 'update pie_schema.users set name = $1 where id = (select pie_schema.current_user_id()) returning version',
  values: [name],
})
