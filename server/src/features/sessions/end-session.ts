import type { Statement } from '../../ground/database/pipeline.ts'
import {
  requestTransaction,
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
  needs: Needs & Pick<Ground, 'requests'>,
  credential: SessionCredential,
  sessionId: string,
): Promise<string[]> {
  const [rows = []] = await requestTransaction(needs.requests, credential, endMySession(sessionId))
  if (rows.length === 0) throw new Refusal('not_found')
  const ended = rows.map(({ id }) => id)
  forgetSessions(needs, ended)
  return ended
}

/** Ends all sessions of the user but the one that asks. Returns how many. */
export async function endOtherSessions(
  needs: Needs & Pick<Ground, 'requests'> & PolicyOf<'sessions'>,
  credential: SessionCredential,
): Promise<number> {
  const statement = endMyOtherSessions(needs.policy.sessions.renewSeconds)
  const [rows = []] = await requestTransaction(needs.requests, credential, statement)
  const ended = rows.map(({ id }) => id)
  forgetSessions(needs, ended)
  return ended.length
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

/** In a request transaction. */
const endMySession = (sessionId: string): Statement => ({
  name: 'end_my_session',
  text: 'select id from pie_schema.end_my_session($1) as ended (id)',
  values: [sessionId],
})

/** In a request transaction. */
const endMyOtherSessions = (renewSeconds: number): Statement => ({
  name: 'end_my_other_sessions',
  text: 'select id from pie_schema.end_my_other_sessions(make_interval(secs => $1)) as ended (id)',
  values: [renewSeconds],
})
