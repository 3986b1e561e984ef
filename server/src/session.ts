/**
 * `@pie/server/session`: who asks, and the database as them, in an application beside a Pie server, whatever
 * framework it is made with.
 */
import {
  collectHeaders,
  type NodeRequest,
  type NodeResponse,
  readRequest,
  type WebRequest,
} from './edge/request/read-request.ts'
import { createRequestPie, type RequestPie } from './edge/request/request-pie.ts'
import { makeCsrfToken } from './features/sessions/csrf-token.ts'
import type { Log } from './ground/log.ts'

export { type ProblemAnswer, problemOf } from './edge/request/problem.ts'
export type { NodeRequest, NodeResponse, WebRequest } from './edge/request/read-request.ts'
export type { RequestPie } from './edge/request/request-pie.ts'
export type { CachedSession, SessionDetails } from './features/sessions/cached-session.ts'
export { type Credentials, createCredentials } from './features/sessions/create-credentials.ts'
export { sessionCookieName } from './features/sessions/session-cookie-name.ts'
export { queryWithSession } from './ground/database/query-with-session.ts'
export type { SessionCredential } from './ground/database/request-transaction.ts'
export { type SessionTransaction, withSession } from './ground/database/with-session.ts'
export { OperatorError, Refusal, type RefusalCode } from './ground/errors.ts'

export interface SessionOptions {
  /** Settings, by the names of docs/configuration.md; they come before those of the environment and of `.env`. */
  settings?: Record<string, string>
  /** Without it, warnings and worse are written to standard output as lines of JSON. */
  log?: Log
}

export interface Sessions {
  /**
   * Who asks, and the database as them: a request of Node's (`node:http`, Express, Koa), or one of the Fetch Standard
   * (Hono, Next, SvelteKit). Asks no one anything until it is asked.
   */
  of(request: NodeRequest | WebRequest, also?: AlsoKnown): RequestSession
  /** Closes the connections. */
  close(): Promise<void>
}

/** What the request itself does not say. */
export interface AlsoKnown {
  /** Node's answer: its headers are then set as they come up. */
  response?: NodeResponse
  /** The CSRF token of a form, as the application has parsed it. A header needs no mention. */
  csrfToken?: string
  /** From which address it comes, where a proxy that you trust says so. */
  address?: string
}

export interface RequestSession extends RequestPie {
  /** For a form or a script of the session's own page. Null for nobody. */
  csrfToken(): Promise<string | null>
  /**
   * What the answer has to have, where `response` was not given: read it when everything else has been asked. A
   * renewed session has a new cookie.
   */
  headers: Headers
}

/**
 * Connects as pie_auth and cream, and begins to hear of changes: once for each process. Never migrates, sets no
 * password, and has no use for the owner's address.
 *
 * @throws OperatorError when something that it needs is missing, wrong or unsafe
 */
export async function openSessions({ settings = {}, log }: SessionOptions = {}): Promise<Sessions> {
  // Whoever has a pool of their own, and a credential, has no need of this.
  const [{ openSessionGround }, { readSessionConfig }, { readEnvironment }] = await Promise.all([
    import('./composition/open-session-ground.ts'),
    import('./settings/read-session-config.ts'),
    import('./settings/environment.ts'),
  ])
  const config = readSessionConfig({ ...readEnvironment({ isShared: true }), ...settings })
  const { ground, close } = await openSessionGround(config, log ?? (await createQuietLog()))
  return {
    close,
    of: (given, { response, csrfToken, address } = {}) => {
      const reply = collectHeaders(response)
      const asked = createRequestPie(ground, readRequest(given, address), reply, () => csrfToken)
      return {
        ...asked,
        headers: reply.headers,
        csrfToken: async () => {
          const found = await asked.session()
          return found === null ? null : makeCsrfToken(ground, found.session.id)
        },
      }
    },
  }
}

async function createQuietLog(): Promise<Log> {
  const { createLog } = await import('./ground/log.ts')
  return createLog('warn', false)
}
