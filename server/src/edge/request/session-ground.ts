import type { SessionCache } from '../../features/sessions/cached-session.ts'
import type { VerifyAccessToken } from '../../features/tokens/verify-access-token.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'

/** What reading a request's session stands on: no password hasher, and nobody who signs anything. */
export interface SessionGround
  extends Pick<Ground, 'auth' | 'requests' | 'reads' | 'keys' | 'trust' | 'clock' | 'log'>,
    PolicyOf<'service' | 'sessions'> {
  sessionCache: SessionCache
  verifyAccessToken: VerifyAccessToken
}
