import { timingSafeEqual } from 'node:crypto'
import { epochSeconds } from '../../ground/clock.ts'
import { signText } from '../../ground/crypto/derive-keys.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import type { ActiveSession } from '../sessions/session.ts'

type Needs = Pick<Ground, 'clock' | 'keys'> & PolicyOf<'service'>

/**
 * The header of every refresh token. HS256 under a derived key, because only Pie reads it; a `typ` of its
 * own, so that no other token stands in for one (RFC 8725 section 3.11). A token with any other header,
 * however it means the same, is none of ours: there is no algorithm to be talked into.
 */
const HEADER = encode({ alg: 'HS256', typ: 'rt+jwt' })

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

/**
 * Makes a refresh token of nothing but the session's row, so whoever asks twice for the same generation
 * gets the same bytes.
 */
export function signRefreshToken({ policy, keys }: Needs, session: ActiveSession): string {
  const claims = {
    iss: policy.service.origin,
    sid: session.id,
    generation: session.generation,
    iat: epochSeconds(session.refreshedAt),
    exp: epochSeconds(session.expiresAt),
  }
  const signed = `${HEADER}.${encode(claims)}`
  return `${signed}.${signText(keys[0].refreshToken, signed)}`
}

export interface RefreshTokenClaims {
  sessionId: string
  generation: number
}

/** Reads a refresh token without any I/O. Null for one that is forged, malformed or expired. */
export function readRefreshToken(
  { clock, policy, keys }: Needs,
  token: string,
): RefreshTokenClaims | null {
  const [header, payload = '', signature = '', ...more] = token.split('.')
  if (header !== HEADER || more.length > 0) return null
  const signed = `${header}.${payload}`
  const isOurs = keys.some(({ refreshToken }) =>
    isSameText(signText(refreshToken, signed), signature),
  )
  if (!isOurs) return null
  // Ours, so it is what signRefreshToken wrote, by this version or by another.
  const claims = parseObject(Buffer.from(payload, 'base64url').toString())
  if (claims === null) return null
  const { iss, sid, generation, exp } = claims
  if (iss !== policy.service.origin || typeof exp !== 'number' || exp <= epochSeconds(clock.now()))
    return null
  if (typeof sid !== 'string' || typeof generation !== 'number') return null
  if (!Number.isInteger(generation)) return null
  return { sessionId: sid, generation }
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : null
  } catch {
    return null
  }
}

/** Takes the same time wherever the two differ. */
function isSameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
