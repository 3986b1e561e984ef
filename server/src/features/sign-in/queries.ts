import type { Statement } from '../../ground/database/pipeline.ts'
import type { SessionCredential } from '../../ground/database/request-transaction.ts'
import type { Policy } from '../../ground/policy.ts'
import type { NewSession } from '../sessions/new-session.ts'
import type { Device, Lifetime } from '../sessions/session.ts'

/** Returns null in place of the id when the address is another user's. */
export const registerUser = (
  userId: string,
  email: string,
  name: string | null,
  passwordHash: string,
  address: string | null,
): Statement => ({
  name: 'register_user',
  text: 'select pie_private.register_user($1, $2, $3, $4, $5) as id',
  values: [userId, email, name, passwordHash, address],
})

/** For the transaction that makes a user: see 0023-hooks.sql. */
export const decideHookFailures = ({ accounts }: Pick<Policy, 'accounts'>): Statement => ({
  name: 'decide_hook_failures',
  text: "select set_config('pie.hook_failures', $1, true)",
  values: [accounts.hookFailures],
})

export const beginRegistration = (address: string): Statement => ({
  name: 'begin_registration',
  text: 'select pie_private.begin_registration($1) as wait_seconds',
  values: [address],
})

export const beginPasswordSignIn = (email: string, address: string): Statement => ({
  name: 'begin_password_sign_in',
  text: 'select * from pie_private.begin_password_sign_in($1, $2)',
  values: [email, address],
})

export const completePasswordSignIn = (
  account: { userId: string; email: string; hash: string },
  session: NewSession,
  { seconds, absoluteSeconds }: Lifetime,
  device: Device,
): Statement => ({
  name: 'complete_password_sign_in',
  text: `select * from pie_private.complete_password_sign_in(
    $1, $2, $3, $4, $5, $6, make_interval(secs => $7), make_interval(secs => $8), $9, $10)`,
  values: [
    account.userId,
    account.email,
    account.hash,
    session.id,
    session.kind,
    session.proofHash,
    seconds,
    absoluteSeconds,
    device.address,
    device.userAgent,
  ],
})

export const failPasswordSignIn = (userId: string | null, address: string): Statement => ({
  name: 'fail_password_sign_in',
  text: 'select pie_private.fail_password_sign_in($1, $2)',
  values: [userId, address],
})

/** Returns no row for a session that may not act. */
export const beginPasswordChange = ({ sessionId, proofs }: SessionCredential): Statement => ({
  name: 'begin_password_change',
  text: 'select * from pie_private.begin_password_change($1, $2)',
  values: [sessionId, proofs],
})

export const completePasswordChange = (
  { sessionId, proofs }: SessionCredential,
  hashes: { verified: string; new: string },
  session: NewSession,
  { seconds, absoluteSeconds }: Lifetime,
  device: Device,
): Statement => ({
  name: 'complete_password_change',
  text: `select * from pie_private.complete_password_change(
    $1, $2, $3, $4, $5, $6, make_interval(secs => $7), make_interval(secs => $8), $9, $10)`,
  values: [
    sessionId,
    proofs,
    hashes.verified,
    hashes.new,
    session.id,
    session.proofHash,
    seconds,
    absoluteSeconds,
    device.address,
    device.userAgent,
  ],
})
