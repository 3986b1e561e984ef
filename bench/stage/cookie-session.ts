import type { Keys } from '../../server/src/composition/read-keys.ts'
import { signSessionId } from '../../server/src/features/sessions/session-cookie.ts'
import { sessionCookieName } from '../../server/src/features/sessions/session-cookie-name.ts'
import { formatRequest } from '../load/http-request.ts'
import type { Exchange } from '../load/run-load.ts'

/** A browser that is signed in. */
export interface CookieSession {
  userId: string
  browserSessionId: string
  cookie: string
}

/** @param origin of the service, as the browser knows it */
export function toCookieSession<Started extends { browserSessionId: string }>(
  keys: Keys,
  started: Started,
  origin: string,
): Started & { cookie: string } {
  const value = signSessionId(keys, started.browserSessionId)
  return { ...started, cookie: `${sessionCookieName(origin)}=${value}` }
}

/** Whose session is this, asked by the browser that has it. */
export function sessionExchange({ userId, browserSessionId, cookie }: CookieSession): Exchange {
  return {
    request: formatRequest({ method: 'GET', path: '/auth/session', cookie }),
    check: ({ status, body }) => {
      const found = status === 200 ? JSON.parse(body) : null
      const isRight =
        found?.user?.id === userId &&
        found.session?.id === browserSessionId &&
        found.user.roles[0] === 'viewer'
      if (!isRight) throw new Error(`GET /auth/session answered ${status}: ${body}`)
    },
  }
}

/** The same with a cookie of the right form that no key of Pie's has signed: somebody else's signature. */
export function forgedSessionExchange(
  { browserSessionId }: CookieSession,
  other: CookieSession,
): Exchange {
  const [, name, signature] = /^(.+)=.+\.(.+)$/.exec(other.cookie) ?? []
  const cookie = `${name}=${browserSessionId}.${signature}`
  return {
    request: formatRequest({ method: 'GET', path: '/auth/session', cookie }),
    check: ({ status, body }) => {
      if (status !== 401 || JSON.parse(body).code !== 'unauthenticated')
        throw new Error(`GET /auth/session with a forged cookie answered ${status}: ${body}`)
    },
  }
}
