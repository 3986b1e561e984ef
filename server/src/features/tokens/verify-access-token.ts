import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { epochSeconds } from '../../ground/clock.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import type { KeyRing } from '../keys/key-ring.ts'

type Needs = Pick<Ground, 'clock'> & PolicyOf<'service'> & { keyRing: KeyRing }

/** What a verified access token says: which session acts, until when the token is good. */
export interface AccessTokenClaims {
  sessionId: string
  expiresAt: number
}

/** Verifies access tokens. Null for a token that is not ours, not for us, or expired. */
export type VerifyAccessToken = (token: string) => Promise<AccessTokenClaims | null>

const REMEMBERED_TOKENS = 50_000

/**
 * A verifier that remembers by its hash a token that it has verified, until it expires. Only that the
 * signature is good is remembered, never that the session is alive.
 */
export function createAccessTokenVerifier({ clock, policy, keyRing }: Needs): VerifyAccessToken {
  const verified = new LRUCache<string, AccessTokenClaims & { kid: string }>({
    max: REMEMBERED_TOKENS,
  })
  return async (token) => {
    const tokenHash = hash('sha256', token, 'base64url')
    const remembered = verified.get(tokenHash)
    if (remembered !== undefined) {
      const isGood =
        remembered.expiresAt > epochSeconds(clock.now()) &&
        keyRing.find(remembered.kid) !== undefined
      return isGood ? remembered : null
    }
    const claims = await verify(token, { clock, policy, keyRing })
    if (claims !== null) verified.set(tokenHash, claims)
    return claims
  }
}

async function verify(token: string, { clock, policy, keyRing }: Needs) {
  // Where nobody comes with a token, nobody waits for it to be loaded.
  const { errors, jwtVerify } = await import('jose')
  try {
    const { payload, protectedHeader } = await jwtVerify(
      token,
      ({ kid }) => {
        const key = kid === undefined ? undefined : keyRing.find(kid)
        if (key === undefined) throw new errors.JWKSNoMatchingKey()
        return key.publicKey
      },
      {
        algorithms: ['ES256'],
        typ: 'at+jwt',
        issuer: policy.service.origin,
        audience: policy.service.origin,
        currentDate: clock.now(),
        requiredClaims: ['exp', 'sub', 'sid'],
      },
    )
    const { sid, exp } = payload
    if (typeof sid !== 'string' || exp === undefined || protectedHeader.kid === undefined)
      return null
    return { sessionId: sid, expiresAt: exp, kid: protectedHeader.kid }
  } catch (error) {
    if (error instanceof errors.JOSEError) return null
    throw error
  }
}
