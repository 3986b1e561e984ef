import type { CachedReads } from '../../ground/cache/cached-reads.ts'
import { type Entry, GONE, type RowName } from '../../ground/cache/protocol.ts'
import type { Ground } from '../../ground/ground.ts'
import type { User } from '../accounts/user.ts'

/** A session as nodes cache it: what `pie_private.session_descriptions` holds. */
export interface CachedSession {
  session: SessionDetails
  user: User
  /** It may not act, but its next request may renew it. */
  isExpired: boolean
}

/** Times are ISO 8601 with a time zone. */
export interface SessionDetails {
  id: string
  kind: 'browser' | 'token' | 'oauth' | 'api_key'
  created_at: string
  last_seen_at: string
  expires_at: string
  absolute_expires_at: string
  assurance_level: number
  methods: string[]
}

export type SessionCache = CachedReads<CachedSession>

/** A row of `session_descriptions`. */
export interface SessionDescription {
  read_at: number
  read_after: number
  is_expired: boolean
  session: SessionDetails
  session_version: number
  user_version: number
  user: User
}

const rowOfSession = (id: string): RowName => `session ${id}`

export function toEntry(description: SessionDescription): Entry<CachedSession> {
  const { session, user, is_expired: isExpired } = description
  return {
    value: { session, user, isExpired },
    versions: [
      [rowOfSession(session.id), description.session_version],
      [`user ${user.id}`, description.user_version],
    ],
    readAt: { transaction: description.read_after, time: description.read_at },
    // That it has expired is not kept: it may be renewed.
    goodUntil: isExpired ? 0 : Date.parse(session.expires_at),
  }
}

/** What a node does that has ended sessions, before it answers: none of them is believed here again. */
export function forgetSessions(
  { trust, sessionCache }: Pick<Ground, 'trust'> & { sessionCache: SessionCache },
  sessionIds: readonly string[],
): void {
  for (const id of sessionIds) {
    trust.hear({ row: rowOfSession(id), version: GONE })
    sessionCache.drop(id)
  }
}
