import { formatRequest } from '../load/http-request.ts'
import type { Exchange } from '../load/run-load.ts'
import type { Account } from './seed.ts'

/** A client that is signed in, with the tokens it was given last. */
export interface TokenSession extends Account {
  accessToken: string
  refreshToken: string
}

/** The next refresh in the session's chain: each token is good for one. */
export function refreshExchange(session: TokenSession): Exchange {
  const body = { refresh_token: session.refreshToken }
  return {
    request: formatRequest({ method: 'POST', path: '/auth/refresh', body }),
    check: ({ status, body }) => {
      const issued = status === 200 ? JSON.parse(body) : null
      const isRight =
        issued?.user?.id === session.userId &&
        issued.access_token?.length > 100 &&
        issued.refresh_token?.length > 100 &&
        issued.refresh_token !== session.refreshToken
      if (!isRight) throw new Error(`POST /auth/refresh answered ${status}: ${body}`)
      session.accessToken = issued.access_token
      session.refreshToken = issued.refresh_token
    },
  }
}

/** Who am I, asked by a client that is signed in. */
export function usersMeExchange(session: TokenSession): Exchange {
  return {
    request: formatRequest({ method: 'GET', path: '/users/me', token: session.accessToken }),
    check: ({ status, body }) => {
      const user = status === 200 ? JSON.parse(body) : null
      const isRight =
        user?.id === session.userId && user.email === session.email && user.roles[0] === 'viewer'
      if (!isRight) throw new Error(`GET /users/me answered ${status}: ${body}`)
    },
  }
}

/** Signs somebody in with their password: a session more for them. */
export function loginExchange({ userId, email }: Account, password: string): Exchange {
  return {
    request: formatRequest({ method: 'POST', path: '/auth/login', body: { email, password } }),
    check: ({ status, body }) => {
      const issued = status === 200 ? JSON.parse(body) : null
      const isRight = issued?.user?.id === userId && issued.access_token?.length > 100
      if (!isRight) throw new Error(`POST /auth/login answered ${status}: ${body}`)
    },
  }
}
