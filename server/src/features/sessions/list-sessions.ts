import type { Statement } from '../../ground/database/pipeline.ts'
import {
  requestTransaction,
  type SessionCredential,
} from '../../ground/database/request-transaction.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import { type DeviceInWords, describeDevice } from './describe-device.ts'

export interface ListedSession {
  id: string
  kind: string
  device: DeviceInWords
  address: string | null
  created_at: Date
  last_seen_at: Date
  expires_at: Date
  assurance_level: number
  methods: string[]
  is_current: boolean
}

/** The user's sessions, the last used first, read as the user. One round trip. */
export async function listSessions(
  { requests, policy }: Pick<Ground, 'requests'> & PolicyOf<'sessions'>,
  credential: SessionCredential,
): Promise<ListedSession[]> {
  const [rows = []] = await requestTransaction(
    requests,
    credential,
    listMySessions(policy.sessions.renewSeconds),
  )
  return rows.map(({ user_agent, ...row }) => ({
    ...(row as Omit<ListedSession, 'device'>),
    device: describeDevice(user_agent),
  }))
}

/** In a request transaction. */
const listMySessions = (renewSeconds: number): Statement => ({
  name: 'list_my_sessions',
  text: 'select * from pie_schema.my_sessions(make_interval(secs => $1))',
  values: [renewSeconds],
})
