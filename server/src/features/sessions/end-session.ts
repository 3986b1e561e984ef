import type { Statement } from '../../ground/database/pipeline.ts'
import type { Row } from '../../ground/database/pool.ts'
import {
  isSessionRefused,
  type SessionCredential,
} from '../../ground/database/request-transaction.ts'
import { Refusal } from '../../ground/errors.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import { forgetSessions, type SessionCache } from './cached-session.ts'
import { proveSession } from './prove-session.ts'

type Needs = Pick<Ground, 'trust'> & { sessionCache: SessionCache }

/** Ends a session at its holder's wish. Ending it twice is the same as once. */
export async function endSession(
  needs: Needs & Pick<Ground, 'auth' | 'keys'>,
  {
    sessionId,
    reason = 'logout',
    address,
  }: { sessionId: string; reason?: 'logout' | 'replaced'; address: string },
): Promise<void> {
  const credential = proveSession(needs.keys, sessionId)
  const [rows = []] = await needs.auth.send(endSessionStatement(credential, reason, address))
  forgetSessions(needs, [sessionId, ...rows.map(({ id }) => id)])
}

/**
 * Ends a session of the user who asks: another device, or this one. Returns it, and what it had been
 * renewed by.
 * @throws Refusal `not_found` when it is nobody's, somebody else's, or has ended
 */
export async function endOwnSession(
  needs: Needs & Pick<Ground, 'auth'>,
  credential: SessionCredential,
  sessionId: string,
): Promise<string[]> {
  const [rows = []] = await sendAsHolder(needs, endMySession(credential, sessionId))
  if (rows.length === 0) throw new Refusal('not_found')
  const ended = rows.map(({ id }) => id)
  forgetSessions(needs, ended)
  return ended
}

/** Ends all sessions of the user but the one that asks. Returns how many. */
export async function endOtherSessions(
  needs: Needs & Pick<Ground, 'auth'> & PolicyOf<'sessions'>,
  credential: SessionCredential,
): Promise<number> {
  const statement = endMyOtherSessions(credential, needs.policy.sessions.renewSeconds)
  const [rows = []] = await sendAsHolder(needs, statement)
  const ended = rows.map(({ id }) => id)
  forgetSessions(needs, ended)
  return ended.length
}

/**
 * Not in a request transaction: whoever signs a thief out may have to wait for what the thief holds, and only who waits as
 * pie_auth is not held up (decision 30).
 * @throws Refusal `unauthenticated`
 */
async function sendAsHolder(
  { auth }: Pick<Ground, 'auth'>,
  statement: Statement,
): Promise<Row[][]> {
  try {
    return await auth.send(statement)
  } catch (error) {
    throw isSessionRefused(error) ? new Refusal('unauthenticated') : error
  }
}

const endSessionStatement = (
  { sessionId, proofs }: SessionCredential,
  reason: string,
  address: string,
): Statement => ({
  name: 'end_session',
  text: 'select id from pie_private.end_session($1, $2, $3, $4) as ended (id)',
  values: [sessionId, proofs, reason, address],
})

const endMySession = ({ sessionId, proofs }: SessionCredential, endedId: string): Statement => ({
  name: 'end_session_of_holder',
  text: 'select id from pie_private.end_session_of_holder($1, $2, $3) as ended (id)',
  values: [sessionId, proofs, endedId],
})

const endMyOtherSessions = (
  { sessionId, proofs }: SessionCredential,
  renewSeconds: number,
): Statement => ({
  name: 'end_other_sessions_of_holder',
  text: 'select id from pie_private.end_other_sessions_of_holder($1, $2, make_interval(secs => $3)) as ended (id)',
  values: [sessionId, proofs, renewSeconds],
})
