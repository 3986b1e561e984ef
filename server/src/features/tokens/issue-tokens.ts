import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import type { User } from '../accounts/user.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { ActiveSession } from '../sessions/session.ts'
import { signAccessToken } from './access-token.ts'
import { signRefreshToken } from './refresh-token.ts'

/** The answer of every endpoint that gives out tokens (RFC 6749 section 5.1), with the user. */
export interface IssuedTokens {
  access_token: string
  token_type: 'Bearer'
  /** Seconds until the access token expires. */
  expires_in: number
  refresh_token: string
  user: User
}

/** The tokens of a session that has just been started or refreshed. No I/O. */
export function issueTokens(
  needs: Pick<Ground, 'clock' | 'keys'> & PolicyOf<'service' | 'tokens'> & { keyRing: KeyRing },
  session: ActiveSession,
): IssuedTokens {
  return {
    access_token: signAccessToken(needs, session),
    token_type: 'Bearer',
    expires_in: needs.policy.tokens.accessTokenSeconds,
    refresh_token: signRefreshToken(needs, session),
    user: session.user,
  }
}
