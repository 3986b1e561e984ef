import { randomUUID } from 'node:crypto'
import type { Statement } from '../../ground/database/pipeline.ts'
import { Refusal } from '../../ground/errors.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import { normalizeEmail } from '../accounts/normalize-email.ts'
import { normalizeName } from '../accounts/normalize-name.ts'
import { hashNewPassword } from '../passwords/hash-new-password.ts'
import type { Device, SessionKind, StartedSession } from '../sessions/session.ts'
import { newSession, readStartedSession, startSession } from '../sessions/start-session.ts'
import { makeUser } from './make-user.ts'

export interface Registration {
  email: string
  password: string
  name: string | null
  kind: SessionKind
  device: Device
}

/**
 * Makes an account and signs its owner in: one transaction, so there is never one without the other.
 * @throws Refusal `registration_closed`, `invalid_request`, `weak_password`, `email_taken`, `too_many_attempts`, `busy`, `hook_failed`
 */
export async function register(
  ground: Pick<Ground, 'auth' | 'keys' | 'hasher'> &
    PolicyOf<'service' | 'accounts' | 'passwords' | 'sessions' | 'tokens'>,
  registration: Registration,
): Promise<StartedSession> {
  if (!ground.policy.accounts.isRegistrationOpen) throw new Refusal('registration_closed')
  const email = normalizeEmail(registration.email)
  const name = normalizeName(registration.name)
  const { address } = registration.device
  await countRegistration(ground, address)
  const passwordHash = await hashNewPassword(ground, registration.password, [email, name])

  const userId = randomUUID()
  const session = newSession(ground, registration)
  const [, , started] = await ground.auth.send(
    ...makeUser(ground.policy, { id: userId, email, name, passwordHash, address }),
    startSession(userId, session, ['pwd']),
  )
  // No user was made, so none could be signed in: the address belongs to somebody.
  const startedSession = readStartedSession(session, started?.[0])
  if (startedSession === null) throw new Refusal('email_taken')
  return startedSession
}

/** Committed before the password is looked at, as attempts to sign in are. */
async function countRegistration({ auth }: Pick<Ground, 'auth'>, address: string): Promise<void> {
  const [[counted] = []] = (await auth.send(beginRegistration(address))) as [
    [{ wait_seconds: number | null }],
  ]
  const wait = counted?.wait_seconds ?? null
  if (wait !== null) throw new Refusal('too_many_attempts', { retryAfterSeconds: wait })
}

const beginRegistration = (address: string): Statement => ({
  name: 'begin_registration',
  text: 'select pie_private.begin_registration($1) as wait_seconds',
  values: [address],
})
