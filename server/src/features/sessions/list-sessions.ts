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

export interface ListedSessions {
  sessions: ListedSession[]
  /** How many there are, also of those that are not listed. */
  total: number
}

/** More than anybody looks through; an account that somebody signs in to over and over has any number. */
const MOST_LISTED = 200

/** The user's sessions, the last used first, and this one among them; read as the user. One round trip. */
export async function listSessions(
  { requests, policy }: Pick<Ground, 'requests'> & PolicyOf<'sessions'>,
  credential: SessionCredential,
): Promise<ListedSessions> {
  const [rows = []] = await requestTransaction(
    requests,
    credential,
    listMySessions(policy.sessions.renewSeconds),
  )
  return {
    total: rows[0]?.['total'] ?? 0,
    sessions: rows.map(({ user_agent, total: _, ...row }) => ({
      ...(row as Omit<ListedSession, 'device'>),
      device: describeDevice(user_agent),
    })),
  }
}

/** In a request transaction. */
const listMySessions = (renewSeconds: number): Statement => ({
  name: 'list_my_last_sessions',
  text: `select * from (
      select *, count(*) over ()::integer as total from pie_schema.my_sessions(make_interval(secs => $1))
      order by is_current desc, last_seen_at desc, id limit $2
    ) as listed
    order by last_seen_at desc, id`,
  values: [renewSeconds, MOST_LISTED],
})
