import { askOnce } from '../load/ask-once.ts'
import type { HttpAnswer } from '../load/http-connection.ts'
import { formatRequest } from '../load/http-request.ts'
import type { Exchange } from '../load/run-load.ts'
import type { Floor } from '../servers/start-floor.ts'
import type { CookieSession } from './cookie-session.ts'
import type { Account } from './seed.ts'

/** The floor of `GET /users/me`. */
export function readUserExchange({ userId }: Account): Exchange {
  return {
    request: formatRequest({ method: 'GET', path: `/users/${userId}` }),
    check: ({ status, body }) => {
      const user = status === 200 ? JSON.parse(body) : null
      const isRight = user?.id === userId && user.name.startsWith('Person ')
      if (!isRight) throw new Error(`GET /users/{id} answered ${status}: ${body}`)
    },
  }
}

/** `GET /users/me` of the route that awaits each statement. Its token is the session's id. */
export function awaitedUsersMeExchange({ userId, email, sessionId }: Account): Exchange {
  return {
    request: formatRequest({ method: 'GET', path: '/users/me', token: sessionId }),
    check: ({ status, body }) => {
      const user = status === 200 ? JSON.parse(body) : null
      const isRight = user?.id === userId && user.email === email && user.roles[0] === 'viewer'
      if (!isRight) throw new Error(`GET /users/me of the floor answered ${status}: ${body}`)
    },
  }
}

/** The floor of `POST /auth/refresh`. */
export function refreshSessionExchange({ sessionId, userId }: Account): Exchange {
  const body = { session_id: sessionId }
  return {
    request: formatRequest({ method: 'POST', path: '/refresh', body }),
    check: ({ status, body }) => {
      const issued = status === 200 ? JSON.parse(body) : null
      const isRight =
        issued?.user_id === userId &&
        issued.access_token.length > 100 &&
        issued.refresh_token.length > 100
      if (!isRight) throw new Error(`POST /refresh answered ${status}: ${body}`)
    },
  }
}

/** Has the floor answer `GET /bare` with this from now on; returns what to ask. */
export async function prepareBare(
  { address }: Floor,
  answer: HttpAnswer | undefined,
): Promise<() => Exchange> {
  if (answer === undefined) throw new Error('there is no answer to give')
  const body = { status: answer.status, body: JSON.parse(answer.body) }
  await askOnce(address, { method: 'PUT', path: '/bare', body })
  const exchange: Exchange = {
    request: formatRequest({ method: 'GET', path: '/bare' }),
    check: ({ status, body }) => {
      if (status !== answer.status || body !== answer.body)
        throw new Error(`GET /bare answered ${status}: ${body}, not ${answer.body}`)
    },
  }
  return () => exchange
}

/** The floor of `GET /auth/session` where Postgres or Valkey has to be asked. */
export function floorSessionExchange(
  from: 'described-sessions' | 'shared',
  { userId, browserSessionId }: CookieSession,
): Exchange {
  const path = `/${from}/${browserSessionId}`
  return {
    request: formatRequest({ method: 'GET', path }),
    check: ({ status, body }) => {
      const found = status === 200 ? JSON.parse(body) : null
      const isRight = found?.user?.id === userId && found.session?.id === browserSessionId
      if (!isRight) throw new Error(`GET ${path} answered ${status}: ${body}`)
    },
  }
}
