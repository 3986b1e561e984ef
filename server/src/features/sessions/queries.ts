import type { Statement } from '../../ground/database/pipeline.ts'
import type { Row } from '../../ground/database/pool.ts'
import type { SessionCredential } from '../../ground/database/request-transaction.ts'
import type { User } from '../accounts/user.ts'
import type { NewSession } from './new-session.ts'
import type { Device, Lifetime, StartedSession } from './session.ts'

/** Returns no row when the user does not exist or is disabled. */
export const startSession = (
  userId: string,
  session: NewSession,
  methods: string[],
  { seconds, absoluteSeconds }: Lifetime,
  device: Device,
): Statement => ({
  name: 'start_session',
  text: `select * from pie_private.start_session(
    $1, $2, $3, $4, $5, make_interval(secs => $6), make_interval(secs => $7), $8, $9)`,
  values: [
    userId,
    session.id,
    session.kind,
    session.proofHash,
    methods,
    seconds,
    absoluteSeconds,
    device.address,
    device.userAgent,
  ],
})

/** A row that starts a session, as that session; null where there is none. */
export function readStartedSession(
  { id, kind }: NewSession,
  row: Row | undefined,
): StartedSession | null {
  if (row === undefined) return null
  return {
    id,
    kind,
    user: row['user'] as User,
    generation: 0,
    refreshedAt: row['started_at'] as Date,
    expiresAt: row['expires_at'] as Date,
    absoluteExpiresAt: row['absolute_expires_at'] as Date,
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
  text: 'select id from pie_private.end_session($1, $2, $3, $4) as ended (id)',
  values: [sessionId, proofs, reason, address],
})

/** By one proof: on connections that are shared. */
export const readSession = (sessionId: string, proof: Buffer): Statement => ({
  name: 'read_session',
  text: 'select pie_private.read_session($1, $2) as description',
  values: [sessionId, proof],
})

export const touchSessionStatement = (
  { sessionId, proofs }: SessionCredential,
  browserSeconds: number,
): Statement => ({
  name: 'visit_session',
  text: 'select pie_private.visit_session($1, $2, make_interval(secs => $3)) as description',
  values: [sessionId, proofs, browserSeconds],
})

export const renewSessionStatement = (
  { sessionId, proofs }: SessionCredential,
  successor: NewSession,
  spans: { seconds: number; renewSeconds: number; retrySeconds: number },
  device: Device,
): Statement => ({
  name: 'renew_session',
  text: `select pie_private.renew_session($1, $2, $3, $4,
    make_interval(secs => $5), make_interval(secs => $6), make_interval(secs => $7), $8, $9) as description`,
  values: [
    sessionId,
    proofs,
    successor.id,
    successor.proofHash,
    spans.seconds,
    spans.renewSeconds,
    spans.retrySeconds,
    device.address,
    device.userAgent,
  ],
})

/** In a request transaction. */
export const listMySessions = (renewSeconds: number): Statement => ({
  name: 'list_my_sessions',
  text: 'select * from pie_schema.my_sessions(make_interval(secs => $1))',
  values: [renewSeconds],
})

/** In a request transaction. */
export const endMySession = (sessionId: string): Statement => ({
  name: 'end_my_session',
  text: 'select id from pie_schema.end_my_session($1) as ended (id)',
  values: [sessionId],
})

/** In a request transaction. */
export const endMyOtherSessions = (renewSeconds: number): Statement => ({
  name: 'end_my_other_sessions',
  text: 'select id from pie_schema.end_my_other_sessions(make_interval(secs => $1)) as ended (id)',
  values: [renewSeconds],
})

/** @param expiresAt seconds since 1970 */
export const useCsrfToken = (tokenHash: Buffer, expiresAt: number): Statement => ({
  name: 'use_csrf_token',
  text: 'select pie_private.use_csrf_token($1, to_timestamp($2)) as is_first',
  values: [tokenHash, expiresAt],
})
