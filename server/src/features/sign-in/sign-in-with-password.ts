import type { Statement } from '../../ground/database/pipeline.ts'
import { Refusal } from '../../ground/errors.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import { normalizeEmail } from '../accounts/normalize-email.ts'
import { normalizePassword } from '../passwords/normalize-password.ts'
import type { Device, SessionKind, StartedSession } from '../sessions/session.ts'
import { type NewSession, newSession, readStartedSession } from '../sessions/start-session.ts'

export interface SignInAttempt {
  email: string
  password: string
  kind: SessionKind
  device: Device
}

interface Begun {
  wait_seconds: number | null
  user_id: string | null
  password_hash: string | null
}

/**
 * Signs a person in with e-mail and password, and starts a session. Two round trips: the attempt is
 * counted, and committed, before the password is looked at.
 *
 * Whatever is wrong (no such account, no password, a wrong one, a disabled user), the answer is the
 * same and takes as long: one argon2id run, always.
 *
 * @throws Refusal `invalid_credentials`, `too_many_attempts`, `invalid_request`, `busy`
 */
export async function signInWithPassword(
  ground: Pick<Ground, 'auth' | 'keys' | 'hasher'> & PolicyOf<'sessions' | 'tokens'>,
  attempt: SignInAttempt,
): Promise<StartedSession> {
  const { auth, hasher } = ground
  const { address } = attempt.device
  const email = normalizeEmail(attempt.email)
  const { password } = normalizePassword(attempt.password)

  const [[begun] = []] = (await auth.send(beginPasswordSignIn(email, address))) as [[Begun]]
  if (begun === undefined) throw new Error('begin_password_sign_in returned no row')
  if (begun.wait_seconds !== null) {
    throw new Refusal('too_many_attempts', { retryAfterSeconds: begun.wait_seconds })
  }

  const isRight = await hasher.verify(password, begun.password_hash)
  if (isRight && begun.user_id !== null && begun.password_hash !== null) {
    const account = { userId: begun.user_id, email, hash: begun.password_hash }
    const session = newSession(ground, attempt)
    const [started] = await auth.send(completePasswordSignIn(account, session))
    const startedSession = readStartedSession(session, started?.[0])
    if (startedSession !== null) return startedSession
  }
  await auth.send(failPasswordSignIn(begun.user_id, address))
  throw new Refusal('invalid_credentials')
}

const beginPasswordSignIn = (email: string, address: string): Statement => ({
  name: 'begin_password_sign_in',
  text: 'select * from pie_private.begin_password_sign_in($1, $2)',
  values: [email, address],
})

const completePasswordSignIn = (
  { userId, email, hash }: { userId: string; email: string; hash: string },
  { id, kind, proofHash, seconds, absoluteSeconds, device }: NewSession,
): Statement => ({
  name: 'complete_password_sign_in',
  text: `select * from pie_private.complete_password_sign_in(
    $1, $2, $3, $4, $5, $6, make_interval(secs => $7), make_interval(secs => $8), $9, $10)`,
  values: [
    ...[userId, email, hash, id, kind, proofHash, seconds, absoluteSeconds],
    ...[device.address, device.userAgent],
  ],
})

const failPasswordSignIn = (userId: string | null, address: string): Statement => ({
  name: 'fail_password_sign_in',
  text: 'select pie_private.fail_password_sign_in($1, $2)',
  values: [userId, address],
})
