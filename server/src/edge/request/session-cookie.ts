import {
  readSignedSessionId,
  type SignedSessionId,
  signSessionId,
} from '../../features/sessions/session-cookie.ts'
import { sessionCookieName } from '../../features/sessions/session-cookie-name.ts'
import type { Ground } from '../../ground/ground.ts'
import type { Policy, PolicyOf } from '../../ground/policy.ts'

type Needs = Pick<Ground, 'keys' | 'clock'> & PolicyOf<'service'>

import type { ReplyHeaders, ShownRequest } from './shown-request.ts'

export const cookieName = ({ service }: Pick<Policy, 'service'>): string =>
  sessionCookieName(service.origin)

const isSecure = ({ service }: Pick<Policy, 'service'>): boolean =>
  service.origin.startsWith('https:')

/**
 * Hands a session to a browser, and forbids shared caches to keep the answer: one of somebody else's
 * would sign them in as this user.
 *
 * @param lastsUntil the session's absolute limit: until then it may be moved on or renewed
 */
export function writeSessionCookie(
  needs: Needs,
  reply: ReplyHeaders,
  { id, lastsUntil }: { id: string; lastsUntil: Date },
): void {
  const seconds = Math.floor((lastsUntil.getTime() - needs.clock.now().getTime()) / 1000)
  setCookie(needs, reply, signSessionId(needs.keys, id), Math.max(0, seconds))
}

/** Takes the session's cookie from a browser. */
export function clearSessionCookie(needs: Needs, reply: ReplyHeaders): void {
  setCookie(needs, reply, '', 0)
}

function setCookie(needs: Needs, reply: ReplyHeaders, value: string, maxAge: number): void {
  const begin = `${cookieName(needs.policy)}=`
  const secure = isSecure(needs.policy) ? '; Secure' : ''
  const own = `${begin}${value}; Max-Age=${maxAge}; Path=/; HttpOnly; SameSite=Lax${secure}`
  // The application's own stay; of ours, the last one counts.
  const set = [reply.getHeader('set-cookie') ?? []].flat().map(String)
  reply.removeHeader('set-cookie')
  for (const cookie of [...set.filter((other) => !other.startsWith(begin)), own])
    reply.header('set-cookie', cookie)
  forbidSharedCaches(reply)
}

/** What depends on who asks is nobody else's. */
export function forbidSharedCaches(reply: ReplyHeaders): void {
  reply.header('cache-control', 'private, no-store')
  const vary = reply.getHeader('vary')
  if (vary === undefined) reply.header('vary', 'Cookie')
  else if (!/\bcookie\b/i.test(String(vary))) reply.header('vary', `${vary}, Cookie`)
}

/**
 * The session that a request's cookie names. Null for none, for one that no key of ours has signed, and
 * for two of the same name: one of them somebody else has planted, and nothing says which. No I/O.
 */
export function readSessionCookie(needs: Needs, request: ShownRequest): SignedSessionId | null {
  const header = request.headers.cookie
  if (header === undefined) return null
  const begin = `${cookieName(needs.policy)}=`
  const values = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(begin))
  const [value] = values
  if (value === undefined || values.length > 1) return null
  return readSignedSessionId(needs.keys, value.slice(begin.length))
}
