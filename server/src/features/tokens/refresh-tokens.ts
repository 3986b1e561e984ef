import { Refusal } from '../../ground/errors.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { SessionCache } from '../sessions/cached-session.ts'
import { rotateSession } from '../sessions/rotate-session.ts'
import { type IssuedTokens, issueTokens } from './issue-tokens.ts'
import { readRefreshToken } from './read-refresh-token.ts'

/**
 * Exchanges a refresh token for a new pair. A forgery costs no I/O; the rest is one statement.
 * @throws Refusal `invalid_refresh_token`, the same for every reason
 */
export async function refreshTokens(
  needs: Pick<Ground, 'auth' | 'keys' | 'clock' | 'log' | 'trust'> &
    PolicyOf<'service' | 'tokens'> & {
      keyRing: KeyRing
      sessionCache: SessionCache
    },
  presented: { refreshToken: string; address: string },
): Promise<IssuedTokens> {
  const claims = readRefreshToken(needs, presented.refreshToken)
  if (claims === null) throw new Refusal('invalid_refresh_token')
  const result = await rotateSession(needs, { ...claims, address: presented.address })
  switch (result.outcome) {
    case 'rotated':
    case 'repeated':
      return issueTokens(needs, result.session)
    case 'stolen':
      needs.log.warn(
        { sessionId: claims.sessionId },
        'a used refresh token was presented again; its session has been ended',
      )
      throw new Refusal('invalid_refresh_token')
    case 'refused':
      throw new Refusal('invalid_refresh_token')
  }
}
