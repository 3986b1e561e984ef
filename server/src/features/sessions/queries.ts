import type { Statement } from '../../ground/database/pipeline.ts'
import type { Row } from '../../ground/database/pool.ts'
import type { SessionCredential } from '../../ground/database/request-transaction.ts'
import type { User } from '../accounts/user.ts'
import type { NewSession } from './new-session.ts'
import type { ActiveSession, Device } from './session.ts'

export interface Lifetimes {
  refreshTokenSeconds: number
  sessionAbsoluteSeconds: number
}

/** Returns no row when the user does not exist or is disabled. */
export const startTokenSession = (
  userId: string,
  session: NewSession,
  methods: string[],
  lifetimes: Lifetimes,
  device: Device,
): Statement => ({
  name: 'start_token_session',
  text: `select * from pie_private.start_session(
    $1, $2, 'token', $3, $4, make_interval(secs => $5), make_interval(secs => $6), $7, $8)`,
  values: [
    userId,
    session.id,
    session.proofHash,
    methods,
    lifetimes.refreshTokenSeconds,
    lifetimes.sessionAbsoluteSeconds,
    device.address,
    device.userAgent,
  ],
})

/** A row of start_session or complete_password_sign_in as a session; null where there is none. */
export function readStartedSession(id: string, row: Row | undefined): ActiveSession | null {
  if (row === undefined) return null
  return {
    id,
    user: row['user'] as User,
    generation: 0,
    refreshedAt: row['started_at'] as Date,
    expiresAt: row['expires_at'] as Date,
  }
}

export const refreshSession = (
  { sessionId, proofs }: SessionCredential,
  generation: number,
  lifetimeSeconds: number,
  retryWindowSeconds: number,
  address: string,
): Statement => ({
  name: 'refresh_session',
  text: `select * from pie_private.refresh_session(
    $1, $2, $3, make_interval(secs => $4), make_interval(secs => $5), $6)`,
  values: [sessionId, proofs, generation, lifetimeSeconds, retryWindowSeconds, address],
})

export const endSessionStatement = (
  { sessionId, proofs }: SessionCredential,
  reason: string,
  address: string,
): Statement => ({
  name: 'end_session',
  text: 'select pie_private.end_session($1, $2, $3, $4)',
  values: [sessionId, proofs, reason, address],
})
