import type { Statement } from '../../ground/database/pipeline.ts'
import type { SessionCredential } from '../../ground/database/request-transaction.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import type { User } from '../accounts/user.ts'
import { forgetSessions, type SessionCache } from './cached-session.ts'
import { proveSession } from './prove-session.ts'
import type { ActiveSession } from './session.ts'

/** What came of presenting one generation of a session's refresh token. */
export type RotationResult =
  /** The session went on, or had just gone on: the same successor for every retry. */
  | { outcome: 'rotated' | 'repeated'; session: ActiveSession }
  /** A token that had been used before, outside the retry window: the session has been ended. */
  | { outcome: 'stolen' }
  /** No such session, expired, or ended. */
  | { outcome: 'refused' }

/**
 * For how long the token before the current one gets the same successor once more: two requests at
 * once, or an answer that was lost on its way, are no theft.
 */
const RETRY_WINDOW_SECONDS = 30

interface RotationRow {
  outcome: RotationResult['outcome']
  current_generation: number
  refreshed_at: Date
  expires_at: Date
  user: User
}

/** Moves a session on to its next refresh token. One statement, one round trip. */
export async function rotateSession(
  needs: Pick<Ground, 'auth' | 'keys' | 'trust'> &
    PolicyOf<'tokens'> & { sessionCache: SessionCache },
  presented: { sessionId: string; generation: number; address: string },
): Promise<RotationResult> {
  const credential = proveSession(needs.keys, presented.sessionId)
  const [rows = []] = (await needs.auth.send(
    refreshSession(
      credential,
      presented.generation,
      needs.policy.tokens.refreshTokenSeconds,
      RETRY_WINDOW_SECONDS,
      presented.address,
    ),
  )) as [RotationRow[]]
  const [row] = rows
  if (row === undefined) return { outcome: 'refused' }
  if (row.outcome === 'stolen') forgetSessions(needs, [presented.sessionId])
  if (row.outcome === 'refused' || row.outcome === 'stolen') return { outcome: row.outcome }
  return {
    outcome: row.outcome,
    session: {
      id: presented.sessionId,
      user: row.user,
      generation: row.current_generation,
      refreshedAt: row.refreshed_at,
      expiresAt: row.expires_at,
    },
  }
}

const refreshSession = (
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
