import { formatRequest } from '../load/http-request.ts'
import type { Exchange } from '../load/run-load.ts'
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
