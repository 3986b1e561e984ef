import { randomUUID, sign } from 'node:crypto'
import { epochSeconds } from '../../ground/clock.ts'
import { signText } from '../../ground/crypto/derive-keys.ts'
import { toRawSignature } from '../../ground/crypto/raw-signature.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import type { User } from '../accounts/user.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { ActiveSession } from '../sessions/session.ts'

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

/** What Pie's own tokens name as their client (RFC 9068 section 2.2), until clients can be registered. */
const FIRST_PARTY_CLIENT = 'pie'

/**
 * Signs an access token: a JWT as RFC 9068 describes it, ES256, that anybody can verify offline. It
 * names the session; that the session is alive, only Postgres says.
 *
 * Signed with node:crypto rather than jose, whose WebCrypto takes seven times as long.
 */
function signAccessToken(
  {
    clock,
    policy,
    keyRing,
  }: Pick<Ground, 'clock'> & PolicyOf<'service' | 'tokens'> & { keyRing: KeyRing },
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

/**
 * The header of every refresh token. HS256 under a derived key, because only Pie reads it; a `typ` of its
 * own, so that no other token stands in for one (RFC 8725 section 3.11). A token with any other header,
 * however it means the same, is none of ours: there is no algorithm to be talked into.
 */
export const REFRESH_TOKEN_HEADER = encode({ alg: 'HS256', typ: 'rt+jwt' })

/**
 * Makes a refresh token of nothing but the session's row, so whoever asks twice for the same generation
 * gets the same bytes.
 */
export function signRefreshToken(
  { policy, keys }: Pick<Ground, 'keys'> & PolicyOf<'service'>,
  session: ActiveSession,
): string {
  const claims = {
    iss: policy.service.origin,
    sid: session.id,
    generation: session.generation,
    iat: epochSeconds(session.refreshedAt),
    exp: epochSeconds(session.expiresAt),
  }
  const signed = `${REFRESH_TOKEN_HEADER}.${encode(claims)}`
  return `${signed}.${signText(keys[0].refreshToken, signed)}`
}
