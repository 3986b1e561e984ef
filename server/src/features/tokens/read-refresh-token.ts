import { timingSafeEqual } from 'node:crypto'
import { epochSeconds } from '../../ground/clock.ts'
import { signText } from '../../ground/crypto/derive-keys.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import { REFRESH_TOKEN_HEADER } from './issue-tokens.ts'

type Needs = Pick<Ground, 'clock' | 'keys'> & PolicyOf<'service'>

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
  if (header !== REFRESH_TOKEN_HEADER || more.length > 0) return null
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
