import { minutes } from '../../ground/clock.ts'
import type { Statement } from '../../ground/database/pipeline.ts'
import type { SessionCredential } from '../../ground/database/request-transaction.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import {
  type CachedSession,
  type SessionCache,
  type SessionDescription,
  toEntry,
} from './cached-session.ts'
import { proveSession } from './prove-session.ts'

/** How long a session is used before that is written down again; `visit_session` says the same. */
const WRITE_AFTER_MS = minutes(5) * 1000

type Needs = Pick<Ground, 'auth' | 'keys' | 'clock' | 'log'> &
  PolicyOf<'sessions'> & {
    sessionCache: SessionCache
  }

/** Whether it has been a while since it was written down that a session is in use. */
export function isTouchDue({ clock }: Pick<Ground, 'clock'>, { session }: CachedSession): boolean {
  return clock.now().getTime() - Date.parse(session.last_seen_at) > WRITE_AFTER_MS
}

/**
 * Writes down that a session is in use, which moves a browser's expiry on, and puts the session's proof
 * under the current key of SECRET_KEY. Null when it may not act, and then nothing that was cached of it is used again.
 * One round trip.
 */
export async function touchSession(needs: Needs, sessionId: string): Promise<CachedSession | null> {
  const keep = needs.sessionCache.begin()
  const [[row] = []] = await needs.auth.send(
    touchSessionStatement(proveSession(needs.keys, sessionId), needs.policy.sessions.seconds),
  )
  const description = (row?.['description'] ?? null) as SessionDescription | null
  const entry = description === null ? null : toEntry(description)
  keep(sessionId, entry)
  return entry?.value ?? null
}

/** Sessions whose visit is being written. */
const visiting = new Set<string>()

/** The same, and nobody waits for it: that a session is in use may be written a request later. */
export function touchInBackground(needs: Needs, sessionId: string): void {
  if (visiting.has(sessionId)) return
  visiting.add(sessionId)
  touchSession(needs, sessionId)
    .catch((error) => needs.log.warn({ err: error }, 'could not write that a session is in use'))
    .finally(() => visiting.delete(sessionId))
}

const touchSessionStatement = (
  { sessionId, proofs }: SessionCredential,
  browserSeconds: number,
): Statement => ({
  name: 'visit_session',
  text: 'select pie_private.visit_session($1, $2, make_interval(secs => $3)) as description',
  values: [sessionId, proofs, browserSeconds],
})
