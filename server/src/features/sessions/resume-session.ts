import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import type { CachedSession, SessionCache } from './cached-session.ts'
import { findSession } from './find-session.ts'
import { renewSession } from './renew-session.ts'
import type { Device } from './session.ts'
import type { SignedSessionId } from './session-cookie.ts'
import { isTouchDue, touchInBackground, touchSession } from './touch-session.ts'

type Needs = Pick<Ground, 'auth' | 'reads' | 'keys' | 'clock' | 'log'> &
  PolicyOf<'sessions'> & {
    sessionCache: SessionCache
  }

/**
 * The session of a browser's cookie, where this process knows it and it needs nothing but to be known;
 * null where `resumeSession` has to see to it. No I/O.
 */
export function recallSession(
  needs: Needs,
  { sessionId, isCurrent }: SignedSessionId,
): CachedSession | null {
  const known = isCurrent ? needs.sessionCache.peek(sessionId) : null
  if (known === null || known.session.kind !== 'browser') return null
  if (isTouchDue(needs, known)) touchInBackground(needs, sessionId)
  return known
}

export interface ResumedSession extends CachedSession {
  /** The browser's cookie is no longer the right one: write another. */
  needsCookie: boolean
}

/**
 * The session of a browser's cookie, ready to act: renewed where it has expired, signed anew where an
 * older key of SECRET_KEY had signed it. Null when it may not act.
 */
export async function resumeSession(
  needs: Needs,
  { sessionId, isCurrent }: SignedSessionId,
  device: Device,
): Promise<ResumedSession | null> {
  const found = await findSession(needs, sessionId)
  if (found === null || found.session.kind !== 'browser') return null
  if (found.isExpired) {
    const successor = await renewSession(needs, sessionId, device)
    return successor === null ? null : { ...successor, needsCookie: true }
  }
  if (!isCurrent) {
    const visited = await touchSession(needs, sessionId)
    return visited === null || visited.isExpired ? null : { ...visited, needsCookie: true }
  }
  if (isTouchDue(needs, found)) touchInBackground(needs, sessionId)
  return { ...found, needsCookie: false }
}
