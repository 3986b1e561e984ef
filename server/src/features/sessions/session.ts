import type { User } from '../accounts/user.ts'

/** From where and with what somebody signs in. */
export interface Device {
  address: string
  userAgent: string | null
}

/** What holds a session that somebody has signed in with: a cookie, or tokens. */
export type SessionKind = 'browser' | 'token'

/** A session that has just been started or refreshed, with the user that it acts as. */
export interface ActiveSession {
  id: string
  user: User
  /** Which refresh token is the current one. */
  generation: number
  /** When the current refresh token was made, and when it ends unless it is used. */
  refreshedAt: Date
  expiresAt: Date
}

/** A session that has just been started. */
export interface StartedSession extends ActiveSession {
  kind: SessionKind
  /** When it ends, however much it is used. */
  absoluteExpiresAt: Date
}
