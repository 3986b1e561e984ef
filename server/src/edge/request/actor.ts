import type { CachedSession } from '../../features/sessions/cached-session.ts'
import { checkCsrfToken } from '../../features/sessions/csrf-token.ts'
import { recallSession, resumeSession } from '../../features/sessions/resume-session.ts'
import type { SignedSessionId } from '../../features/sessions/session-cookie.ts'
import { Refusal } from '../../ground/errors.ts'
import { checkOrigin, isUnsafe } from './cross-origin.ts'
import { deviceOf } from './device.ts'
import { readSessionCookie, writeSessionCookie } from './session-cookie.ts'
import type { SessionGround } from './session-ground.ts'
import type { ReplyHeaders, ShownRequest } from './shown-request.ts'

/** Whoever asks. */
export interface Actor {
  /** The session that acts. That it may, Postgres says. */
  sessionId: string
  /** The session's kind, and what is known of it: a cookie's is looked up before anything else. */
  kind: 'browser' | 'token'
  session: CachedSession | null
  /** The session that the request came with: the one before, where it has just been renewed. */
  presentedId: string
}

/**
 * Who asks, by access token or cookie. Nobody has to be waited for where the session is known.
 * @throws Refusal `unauthenticated`
 */
export function readActor(
  pie: SessionGround,
  request: ShownRequest,
  reply: ReplyHeaders,
): Actor | Promise<Actor> {
  if (request.headers.authorization !== undefined) return readBearer(pie, request)
  const cookie = readSessionCookie(pie, request)
  if (cookie === null) throw new Refusal('unauthenticated')
  const known = recallSession(pie, cookie)
  return known === null ? resume(pie, cookie, request, reply) : browserActor(cookie, known)
}

/**
 * Refuses what a page of another origin makes a browser send. A page cannot make it send a token; Basic, a
 * browser adds of its own accord.
 *
 * @throws Refusal `cross_origin`
 */
export function refuseOtherOrigins(pie: SessionGround, request: ShownRequest): void {
  const { authorization } = request.headers
  if (isUnsafe(request) && !/^bearer /i.test(authorization ?? '')) checkOrigin(pie.policy, request)
}

/**
 * What changes something needs a CSRF token where it comes with a cookie.
 * @throws Refusal `csrf_token_missing`, `csrf_token_invalid`
 */
export async function refuseForgery(
  pie: SessionGround,
  request: ShownRequest,
  { kind, presentedId }: Actor,
  token: string | null,
): Promise<void> {
  if (kind === 'browser' && isUnsafe(request)) await checkCsrfToken(pie, presentedId, token)
}

async function readBearer(pie: SessionGround, request: ShownRequest): Promise<Actor> {
  const token = bearerToken(request)
  const claims = token === null ? null : await pie.verifyAccessToken(token)
  if (claims === null) throw new Refusal('unauthenticated')
  const { sessionId } = claims
  return { sessionId, kind: 'token', session: null, presentedId: sessionId }
}

async function resume(
  pie: SessionGround,
  cookie: SignedSessionId,
  request: ShownRequest,
  reply: ReplyHeaders,
): Promise<Actor> {
  const resumed = await resumeSession(pie, cookie, deviceOf(request))
  if (resumed === null) throw new Refusal('unauthenticated')
  const { session } = resumed
  if (resumed.needsCookie) {
    const lastsUntil = new Date(session.absolute_expires_at)
    writeSessionCookie(pie, reply, { id: session.id, lastsUntil })
  }
  return browserActor(cookie, resumed)
}

function browserActor({ sessionId: presentedId }: SignedSessionId, session: CachedSession): Actor {
  return { sessionId: session.session.id, kind: 'browser', session, presentedId }
}

/**
 * RFC 6750 section 2.1. Null when there is none, when it is of another scheme, and when there are two
 * Authorization headers: Node would take the first, and a proxy before it might have checked the last.
 */
export function bearerToken({ headers, raw }: ShownRequest): string | null {
  // Not headersDistinct, which requests that Fastify injects do not have.
  const isName = (text: string, place: number) => place % 2 === 0 && /^authorization$/i.test(text)
  if (raw.rawHeaders.filter(isName).length > 1) return null
  const [, token] = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(headers.authorization ?? '') ?? []
  return token ?? null
}
