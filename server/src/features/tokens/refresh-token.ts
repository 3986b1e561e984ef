import { errors, jwtVerify } from 'jose'
import { epochSeconds } from '../../ground/clock.ts'
import { authenticateText } from '../../ground/crypto/derive-keys.ts'
import type { Ground } from '../../ground/ground.ts'
import type { ActiveSession } from '../sessions/session.ts'

type Needs = Pick<Ground, 'clock' | 'policy' | 'keys'>

/** `typ` of a refresh token: no other token of Pie's can stand in for one (RFC 8725 section 3.11). */
const TYPE = 'rt+jwt'

/**
 * A refresh token: HS256 under a derived key, because only Pie reads it. It is made of nothing but the
 * session's row, so whoever asks twice for the same generation gets the same bytes.
 */
export function signRefreshToken({ policy, keys }: Needs, session: ActiveSession): string {
  const header = { alg: 'HS256', typ: TYPE }
  const claims = {
    iss: policy.issuer,
    sid: session.id,
    generation: session.generation,
    iat: epochSeconds(session.refreshedAt),
    exp: epochSeconds(session.expiresAt),
  }
  const signed = `${encode(header)}.${encode(claims)}`
  return `${signed}.${authenticateText(keys[0].refreshToken, signed).toString('base64url')}`
}

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

export interface RefreshTokenClaims {
  sessionId: string
  generation: number
}

/** Reads a refresh token without any I/O. Null for one that is forged, malformed or expired. */
export async function readRefreshToken(
  { clock, policy, keys }: Needs,
  token: string,
): Promise<RefreshTokenClaims | null> {
  for (const { refreshToken } of keys) {
    try {
      const { payload } = await jwtVerify(token, refreshToken.reveal(), {
        algorithms: ['HS256'],
        typ: TYPE,
        issuer: policy.issuer,
        currentDate: clock.now(),
        requiredClaims: ['exp'],
      })
      const { sid, generation } = payload
      if (typeof sid !== 'string' || typeof generation !== 'number') return null
      return { sessionId: sid, generation }
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) continue
      if (error instanceof errors.JOSEError) return null
      throw error
    }
  }
  return null
}
