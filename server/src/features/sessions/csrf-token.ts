import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { epochSeconds, hours } from '../../ground/clock.ts'
import { type DerivedKeys, signText } from '../../ground/crypto/derive-keys.ts'
import type { Statement } from '../../ground/database/pipeline.ts'
import type { SessionCredential } from '../../ground/database/request-transaction.ts'
import { Refusal } from '../../ground/errors.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import { proveSession } from './prove-session.ts'
import { RETRY_WINDOW_SECONDS } from './renew-session.ts'

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

type Needs = Pick<Ground, 'auth' | 'keys' | 'clock'> & PolicyOf<'sessions'>

/**
 * Checks a CSRF token, and uses it where it is good for one request only. No I/O otherwise, but for a token that is
 * another session's: it may be of the one that this has just been renewed from.
 *
 * @throws Refusal `csrf_token_missing`, `csrf_token_invalid`
 */
export async function checkCsrfToken(
  needs: Needs,
  sessionId: string,
  token: string | null,
): Promise<void> {
  const { auth, keys, clock, policy } = needs
  if (token === null || token === '') throw new Refusal('csrf_token_missing')
  const read = readToken(token)
  if (read === null) throw new Refusal('csrf_token_invalid')
  const isOurs = isOf(keys, sessionId, read) || (await isOfPredecessor(needs, sessionId, read))
  if (!isOurs) throw tokenIsOld('It is of another session than the cookie')
  if (policy.sessions.csrfMode === 'session') return

  const expiresAt = read.madeAt + REQUEST_TOKEN_SECONDS
  if (expiresAt <= epochSeconds(clock.now())) throw tokenIsOld('It is older than 12 hours')
  const [[row] = []] = await auth.send(useCsrfToken(hash('sha256', token, 'buffer'), expiresAt))
  if (row?.['is_first'] !== true) throw tokenIsOld('It has been used')
}

/** Nothing is wrong with the page but its age, as far as can be told. */
const tokenIsOld = (why: string): Refusal =>
  new Refusal('csrf_token_invalid', {
    detail: `${why}: the page is an old one. GET /auth/csrf has a token to send this again with.`,
  })

interface ReadToken {
  unsigned: string
  madeAt: number
  signature: Buffer
}

function readToken(token: string): ReadToken | null {
  const [, unsigned, madeAt, signature] = form.exec(token) ?? []
  if (unsigned === undefined || signature === undefined) return null
  return { unsigned, madeAt: Number(madeAt), signature: Buffer.from(signature, 'latin1') }
}

function isOf(
  keys: readonly DerivedKeys[],
  sessionId: string,
  { unsigned, signature }: ReadToken,
): boolean {
  return keys.some(({ csrfToken }) => {
    const right = signText(csrfToken, `${sessionId}.${unsigned}`)
    return timingSafeEqual(Buffer.from(right, 'latin1'), signature)
  })
}

async function isOfPredecessor(
  { auth, keys }: Needs,
  sessionId: string,
  token: ReadToken,
): Promise<boolean> {
  const [rows = []] = await auth.send(listPredecessors(proveSession(keys, sessionId)))
  return rows.some(({ id }) => isOf(keys, id, token))
}

const listPredecessors = ({ sessionId, proofs }: SessionCredential): Statement => ({
  name: 'list_predecessors',
  text: 'select id from pie_private.list_predecessors($1, $2, make_interval(secs => $3)) as line (id)',
  values: [sessionId, proofs, RETRY_WINDOW_SECONDS],
})

/** @param expiresAt seconds since 1970 */
const useCsrfToken = (tokenHash: Buffer, expiresAt: number): Statement => ({
  name: 'use_csrf_token',
  text: 'select pie_private.use_csrf_token($1, to_timestamp($2)) as is_first',
  values: [tokenHash, expiresAt],
})
