import type { FastifyReply, FastifyRequest } from 'fastify'
import type { User } from '../../features/accounts/user.ts'
import { makeCsrfToken } from '../../features/sessions/csrf-token.ts'
import { endSession } from '../../features/sessions/end-session.ts'
import type { StartedSession } from '../../features/sessions/session.ts'
import { type IssuedTokens, issueTokens } from '../../features/tokens/issue-tokens.ts'
import { addressOf } from '../request/device.ts'
import { readSessionCookie, writeSessionCookie } from '../request/session-cookie.ts'
import type { Pie } from './pie.ts'

/** The answer of an endpoint that has set a session's cookie. */
export interface CookieSession {
  user: User
  session: { id: string; expires_at: Date }
  /** For the first request that changes something. */
  csrf_token: string
}

/**
 * Ends the session of the cookie that a browser came with, and that is about to be another's. Tokens replace
 * nothing.
 */
export async function endReplacedSession(
  pie: Pie,
  request: FastifyRequest,
  { kind }: StartedSession,
): Promise<void> {
  const replaced = kind === 'browser' ? readSessionCookie(pie, request) : null
  if (replaced === null) return
  const { sessionId } = replaced
  await endSession(pie, { sessionId, reason: 'replaced', address: addressOf(request) })
}

/** Hands a session that has just been started to whoever asked: as a cookie, or as tokens. */
export function sendSession(
  pie: Pie,
  reply: FastifyReply,
  session: StartedSession,
): IssuedTokens | CookieSession {
  if (session.kind === 'token') {
    reply.header('cache-control', 'no-store')
    return issueTokens(pie, session)
  }
  writeSessionCookie(pie, reply, { id: session.id, lastsUntil: session.absoluteExpiresAt })
  return {
    user: session.user,
    session: { id: session.id, expires_at: session.expiresAt },
    csrf_token: makeCsrfToken(pie, session.id),
  }
}
