import { hash, randomUUID, sign } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { epochSeconds } from '../../ground/clock.ts'
import { toRawSignature } from '../../ground/crypto/raw-signature.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { ActiveSession } from '../sessions/session.ts'

type Needs = Pick<Ground, 'clock'> & PolicyOf<'service'> & { keyRing: KeyRing }

/** What Pie's own tokens name as their client (RFC 9068 section 2.2), until clients can be registered. */
const FIRST_PARTY_CLIENT = 'pie'

/**
 * Signs an access token: a JWT as RFC 9068 describes it, ES256, that anybody can verify offline. It
 * names the session; that the session is alive, only Postgres says.
 *
 * Signed with node:crypto rather than jose, whose WebCrypto takes seven times as long.
 */
export function signAccessToken(
  { clock, policy, keyRing }: Needs & PolicyOf<'tokens'>,
  session: ActiveSession,
): string {
  const key = keyRing.current()
  const issuedAt = epochSeconds(clock.now())
  const header = { alg: 'ES256', typ: 'at+jwt', kid: key.kid }
  const claims = {
    iss: policy.service.origin,
    sub: session.user.id,
    aud: policy.service.origin,
    client_id: FIRST_PARTY_CLIENT,
    iat: issuedAt,
    exp: issuedAt + policy.tokens.accessTokenSeconds,
    jti: randomUUID(),
    sid: session.id,
    roles: session.user.roles,
    permissions: session.user.permissions,
  }
  const signed = `${encode(header)}.${encode(claims)}`
  // With a bare key and no options node:crypto signs twice as fast; the signature then comes as DER.
  const signature = toRawSignature(sign('sha256', Buffer.from(signed), key.privateKey))
  return `${signed}.${signature.toString('base64url')}`
}

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

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
