import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { epochSeconds, hours } from '../../ground/clock.ts'
import { signText } from '../../ground/crypto/derive-keys.ts'
import type { Statement } from '../../ground/database/pipeline.ts'
import { Refusal } from '../../ground/errors.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'

/** How long a token lives that is good for one request. One for a session lives as long as that. */
const REQUEST_TOKEN_SECONDS = hours(12)

/**
 * A CSRF token: when it was made, a random part, and an HMAC that binds both to the session. Many are
 * good at once, so every tab keeps its own.
 */
export function makeCsrfToken(
  { keys, clock }: Pick<Ground, 'keys' | 'clock'>,
  sessionId: string,
): string {
  const unsigned = `${epochSeconds(clock.now())}.${randomBytes(12).toString('base64url')}`
  const key = keys[0].csrfToken
  return `${unsigned}.${signText(key, `${sessionId}.${unsigned}`)}`
}

const form = /^((\d{1,12})\.[A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{43})$/

/**
 * Checks a CSRF token, and uses it where it is good for one request only. No I/O otherwise.
 * @throws Refusal `csrf_token_missing`, `csrf_token_invalid`
 */
export async function checkCsrfToken(
  { auth, keys, clock, policy }: Pick<Ground, 'auth' | 'keys' | 'clock'> & PolicyOf<'sessions'>,
  sessionId: string,
  token: string | null,
): Promise<void> {
  if (token === null || token === '') throw new Refusal('csrf_token_missing')
  const [, unsigned, madeAt, signature] = form.exec(token) ?? []
  if (unsigned === undefined || signature === undefined) throw new Refusal('csrf_token_invalid')
  const given = Buffer.from(signature, 'latin1')
  const isOurs = keys.some(({ csrfToken }) => {
    const right = signText(csrfToken, `${sessionId}.${unsigned}`)
    return timingSafeEqual(Buffer.from(right, 'latin1'), given)
  })
  if (!isOurs) throw new Refusal('csrf_token_invalid')
  if (policy.sessions.csrfMode === 'session') return

  const expiresAt = Number(madeAt) + REQUEST_TOKEN_SECONDS
  if (expiresAt <= epochSeconds(clock.now())) throw new Refusal('csrf_token_invalid')
  const [[row] = []] = await auth.send(useCsrfToken(hash('sha256', token, 'buffer'), expiresAt))
  if (row?.['is_first'] !== true) throw new Refusal('csrf_token_invalid')
}

/** @param expiresAt seconds since 1970 */
const useCsrfToken = (tokenHash: Buffer, expiresAt: number): Statement => ({
  name: 'use_csrf_token',
  text: 'select pie_private.use_csrf_token($1, to_timestamp($2)) as is_first',
  values: [tokenHash, expiresAt],
})
