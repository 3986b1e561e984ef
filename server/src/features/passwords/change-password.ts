import pg from 'pg'
import type { Statement } from '../../ground/database/pipeline.ts'
import type { SessionCredential } from '../../ground/database/request-transaction.ts'
import { Refusal } from '../../ground/errors.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import { forgetSessions, type SessionCache } from '../sessions/cached-session.ts'
import type { Device, SessionKind, StartedSession } from '../sessions/session.ts'
import { type NewSession, newSession, readStartedSession } from '../sessions/start-session.ts'
import { hashNewPassword } from './hash-new-password.ts'
import { normalizePassword } from './normalize-password.ts'

export interface PasswordChange {
  currentPassword: string
  newPassword: string
  /** What holds the session that asks, and will hold the one in its place. */
  kind: SessionKind
  device: Device
}

interface Begun {
  wait_seconds: number | null
  email: string | null
  name: string | null
  password_hash: string | null
}

type Needs = Pick<Ground, 'auth' | 'keys' | 'hasher' | 'trust'> &
  PolicyOf<'service' | 'passwords' | 'sessions' | 'tokens'> & {
    sessionCache: SessionCache
  }

/**
 * Changes a password: ends every session of the user, and starts a new one for whoever asked. Two round
 * trips: the attempt is counted, and committed, before the current password is looked at.
 *
 * @throws Refusal `invalid_credentials` when the current password is wrong, `weak_password`,
 *   `too_many_attempts`, `unauthenticated`, `invalid_request`, `busy`
 */
export async function changePassword(
  needs: Needs,
  credential: SessionCredential,
  change: PasswordChange,
): Promise<StartedSession> {
  const { password: current } = normalizePassword(change.currentPassword, '/current_password')
  const [[begun] = []] = (await needs.auth.send(
    beginPasswordChange(credential, change.device),
  )) as [[Begun]]
  if (begun === undefined) throw new Refusal('unauthenticated')
  if (begun.wait_seconds !== null)
    throw new Refusal('too_many_attempts', { retryAfterSeconds: begun.wait_seconds })

  const verified = begun.password_hash
  if (!(await needs.hasher.verify(current, verified)) || verified === null)
    throw new Refusal('invalid_credentials', { detail: 'The current password is wrong.' })
  const ownWords = [begun.email, begun.name]
  const newHash = await hashNewPassword(needs, change.newPassword, ownWords, '/new_password')

  const session = newSession(needs, change)
  const hashes = { verified, new: newHash }
  const [[row] = []] = await needs.auth
    .send(completePasswordChange(credential, hashes, session))
    .catch(refuseEndedSession)
  const started = readStartedSession(session, row)
  if (started === null) throw new Refusal('unauthenticated')
  forgetSessions(needs, row?.['ended'] ?? [])
  return started
}

function refuseEndedSession(error: unknown): never {
  const hasEnded = error instanceof pg.DatabaseError && error.code === '28000'
  throw hasEnded ? new Refusal('unauthenticated', { cause: error }) : error
}

/** Returns no row for a session that may not act. */
const beginPasswordChange = (
  { sessionId, proofs }: SessionCredential,
  { address }: Device,
): Statement => ({
  name: 'begin_password_change_from',
  text: 'select * from pie_private.begin_password_change($1, $2, $3)',
  values: [sessionId, proofs, address],
})

const completePasswordChange = (
  { sessionId, proofs }: SessionCredential,
  hashes: { verified: string; new: string },
  { id, proofHash, seconds, absoluteSeconds, device }: NewSession,
): Statement => ({
  name: 'complete_password_change',
  text: `select * from pie_private.complete_password_change(
    $1, $2, $3, $4, $5, $6, make_interval(secs => $7), make_interval(secs => $8), $9, $10)`,
  values: [
    ...[sessionId, proofs, hashes.verified, hashes.new, id, proofHash, seconds, absoluteSeconds],
    ...[device.address, device.userAgent],
  ],
})
