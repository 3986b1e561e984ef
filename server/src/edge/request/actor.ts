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
 *
 * A token is the program's own choice, and counts alone: one that is not valid is no reason to act as whoever the cookie is.
 * Credentials of any other scheme are for somebody else, such as a proxy that asks for a password.
 * @throws Refusal `unauthenticated`
 */
export function readActor(
  pie: SessionGround,
  request: ShownRequest,
  reply: ReplyHeaders,
): Actor | Promise<Actor> {
  if (showsBearer(request)) return readBearer(pie, request)
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
  if (claims === null) throw new Refusal('unauthenticated', { detail: whyNoToken(request, token) })
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

function whyNoToken({ headers }: ShownRequest, token: string | null): string {
  const fault =
    token === null
      ? 'Authorization has to be there once, as Bearer and an access token.'
      : 'The access token in Authorization is not valid, or no longer.'
  return headers.cookie === undefined ? fault : `${fault} Beside it, no cookie is looked at.`
}

/** Whether a request has an access token or tries to: with the scheme Bearer, in any Authorization header of its. */
export function showsBearer({ headers: { authorization }, raw }: ShownRequest): boolean {
  if (authorization === undefined) return false
  const values = valuesOf(raw, 'authorization')
  // Of a request of the Fetch Standard's, several are one, with commas in between.
  return (values.length > 0 ? values : authorization.split(',')).some((value) =>
    /^\s*bearer(?!\S)/i.test(value),
  )
}

/** What headers of this name say, each by itself. Not headersDistinct, which requests that Fastify injects do not have. */
function valuesOf({ rawHeaders }: ShownRequest['raw'], name: string): string[] {
  const isIts = (place: number) => rawHeaders[place]?.toLowerCase() === name
  return rawHeaders.filter((_, place) => place % 2 === 1 && isIts(place - 1))
}

/**
 * RFC 6750 section 2.1. Null when there is none, when it is of another scheme, and when there are two
 * Authorization headers: Node would take the first, and a proxy before it might have checked the last.
 */
export function bearerToken({ headers, raw }: ShownRequest): string | null {
  if (valuesOf(raw, 'authorization').length > 1) return null
  const [, token] = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(headers.authorization ?? '') ?? []
  return token ?? null
}
