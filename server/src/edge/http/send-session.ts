import type { FastifyReply } from 'fastify'
import type { User } from '../../features/accounts/user.ts'
import { makeCsrfToken } from '../../features/sessions/csrf-token.ts'
import type { StartedSession } from '../../features/sessions/session.ts'
import { type IssuedTokens, issueTokens } from '../../features/tokens/issue-tokens.ts'
import { writeSessionCookie } from '../request/session-cookie.ts'
import type { Pie } from './pie.ts'

/** The answer of an endpoint that has set a session's cookie. */
export interface CookieSession {
  user: User
  session: { id: string; expires_at: Date }
  /** For the first request that changes something. */
  csrf_token: string
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
