import { Refusal } from '../../ground/errors.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import type { SessionCache } from '../sessions/cached-session.ts'
import { endSession } from '../sessions/end-session.ts'
import { readRefreshToken } from './read-refresh-token.ts'
import type { VerifyAccessToken } from './verify-access-token.ts'

export interface PresentedTokens {
  accessToken: string | null
  refreshToken: string | null
  address: string
}

/**
 * Ends the session that a token belongs to, whichever of the pair is presented, or both where they belong
 * to two. Nothing happens, and nothing is said, when it has ended before.
 *
 * @throws Refusal `unauthenticated` when neither is a token of ours
 */
export async function endPresentedSession(
  needs: Pick<Ground, 'auth' | 'keys' | 'clock' | 'trust'> &
    PolicyOf<'service'> & {
      sessionCache: SessionCache
      verifyAccessToken: VerifyAccessToken
    },
  { accessToken, refreshToken, address }: PresentedTokens,
): Promise<void> {
  const presented = [
    refreshToken === null ? null : readRefreshToken(needs, refreshToken),
    accessToken === null ? null : await needs.verifyAccessToken(accessToken),
  ]
  const sessionIds = new Set(presented.flatMap((claims) => claims?.sessionId ?? []))
  if (sessionIds.size === 0) throw new Refusal('unauthenticated')
  for (const sessionId of sessionIds) await endSession(needs, { sessionId, address })
}
