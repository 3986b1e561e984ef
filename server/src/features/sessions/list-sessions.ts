import Bowser from 'bowser'
import {
  requestTransaction,
  type SessionCredential,
} from '../../ground/database/request-transaction.ts'
import type { Ground } from '../../ground/ground.ts'
import { listMySessions } from './queries.ts'

/** A device, in words for the person whose it is. Null for what cannot be told. */
export interface DeviceInWords {
  /** `Firefox on Windows` */
  description: string
  browser: string | null
  os: string | null
  type: string | null
}

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
  { requests, policy }: Pick<Ground, 'requests' | 'policy'>,
  credential: SessionCredential,
): Promise<ListedSession[]> {
  const [rows = []] = await requestTransaction(
    requests,
    credential,
    listMySessions(policy.sessionRenewSeconds),
  )
  return rows.map(({ user_agent, ...row }) => ({
    ...(row as Omit<ListedSession, 'device'>),
    device: describeDevice(user_agent),
  }))
}

/** Tells a browser by its user agent; another program by the name that it gives itself. */
export function describeDevice(userAgent: string | null): DeviceInWords {
  const found = userAgent === null || userAgent === '' ? null : Bowser.parse(userAgent)
  const browser = found?.browser.name || null
  const os = found?.os.name || null
  const program = /^[A-Za-z][\w .-]{0,40}(?=[/ ]|$)/.exec(userAgent ?? '')?.[0] ?? null
  const name = browser ?? program ?? 'Unknown device'
  return {
    description: os === null ? name : `${name} on ${os}`,
    browser,
    os,
    type: found?.platform.type || null,
  }
}
