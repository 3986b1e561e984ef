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
import type { Device } from './session.ts'
import { makeIdentity, type SessionIdentity } from './start-session.ts'

/**
 * For how long the old cookie gets the same successor once more: requests that were sent together, or an
 * answer that was lost on its way. So long, what other tabs were made with holds too: their CSRF tokens.
 */
export const RETRY_WINDOW_SECONDS = 60

/**
 * Renews a browser's session that has expired: by a successor, the same one for every request that comes
 * with the old one. Null when it expired too long ago, has ended, or its user may not sign in. One round
 * trip.
 */
export async function renewSession(
  {
    auth,
    keys,
    policy,
    sessionCache,
  }: Pick<Ground, 'auth' | 'keys'> & PolicyOf<'sessions'> & { sessionCache: SessionCache },
  sessionId: string,
  device: Device,
): Promise<CachedSession | null> {
  const keep = sessionCache.begin()
  const [[row] = []] = await auth.send(
    renewSessionStatement(
      proveSession(keys, sessionId),
      makeIdentity(keys, 'browser'),
      {
        seconds: policy.sessions.seconds,
        renewSeconds: policy.sessions.renewSeconds,
        retrySeconds: RETRY_WINDOW_SECONDS,
      },
      device,
    ),
  )
  const description = (row?.['description'] ?? null) as SessionDescription | null
  if (description === null) return null
  const entry = toEntry(description)
  keep(entry.value.session.id, entry)
  return entry.value.isExpired ? null : entry.value
}

const renewSessionStatement = (
  { sessionId, proofs }: SessionCredential,
  successor: SessionIdentity,
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
