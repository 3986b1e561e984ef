import type { QueryConfig, QueryResult, QueryResultRow } from 'pg'
import type { CachedSession } from '../../features/sessions/cached-session.ts'
import { findSession } from '../../features/sessions/find-session.ts'
import { proveSession } from '../../features/sessions/prove-session.ts'
import { queryWithSession } from '../../ground/database/query-with-session.ts'
import type { SessionCredential } from '../../ground/database/request-transaction.ts'
import { type SessionTransaction, withSession } from '../../ground/database/with-session.ts'
import { Refusal } from '../../ground/errors.ts'
import { type Actor, readActor, refuseForgery, refuseOtherOrigins } from './actor.ts'
import { statusOf } from './problem.ts'
import { forbidSharedCaches } from './session-cookie.ts'
import type { SessionGround } from './session-ground.ts'
import type { ReplyHeaders, ShownRequest } from './shown-request.ts'

/** Pie, for one request to a route of the application's. */
export interface RequestPie {
  /**
   * Whose request this is: session and user, never older than two seconds. Null for nobody. For showing;
   * what may be done, Postgres decides.
   *
   * @throws Refusal `database_unavailable`
   */
  session(): Promise<CachedSession | null>
  /**
   * Runs work as the session's user in one transaction: kept when it resolves, nothing of it when it
   * rejects. Where the request changes something and comes with a cookie, it needs a CSRF token.
   *
   * @throws Refusal `unauthenticated`, `cross_origin`, `csrf_token_missing`, `csrf_token_invalid`,
   *   `database_unavailable`, `timeout`; pg.DatabaseError, and whatever the work throws
   */
  transaction<T>(work: (transaction: SessionTransaction) => Promise<T>): Promise<T>
  /** One query in a transaction of its own, in one round trip; checked as for `transaction`. */
  // biome-ignore lint/suspicious/noExplicitAny: as pg has it, whose place it takes
  query<Row extends QueryResultRow = any>(
    query: string | QueryConfig,
    values?: unknown[],
  ): Promise<QueryResult<Row>>
  /** What this request shows Postgres, for other libraries; checked as for `transaction`. */
  credential(): Promise<SessionCredential>
}

/**
 * Asks no one anything until it is asked.
 * @param csrfToken what the request's body has for one, read when it is needed
 */
export function createRequestPie(
  pie: SessionGround,
  request: ShownRequest,
  reply: ReplyHeaders,
  csrfToken: () => unknown,
): RequestPie {
  let read: Promise<Actor> | undefined
  const actor = () => {
    // What depends on who asks is nobody else's.
    forbidSharedCaches(reply)
    read ??= (async () => readActor(pie, request, reply))()
    return read
  }
  let allowed: Promise<SessionCredential> | undefined
  const credential = () => {
    allowed ??= withStatus(async () => {
      refuseOtherOrigins(pie, request)
      const asking = await actor()
      await refuseForgery(
        pie,
        request,
        asking,
        readToken(request.headers['x-csrf-token'] ?? csrfToken()),
      )
      return proveSession(pie.keys, asking.sessionId)
    })
    return allowed
  }
  const transaction: RequestPie['transaction'] = async (work) => {
    const shown = await credential()
    return withStatus(() => withSession(pie.requests, shown, work))
  }
  return {
    credential,
    transaction,
    query: async (query, values) => {
      const shown = await credential()
      return withStatus(() => queryWithSession(pie.requests, shown, query, values))
    },
    session: async () => {
      try {
        const { session, sessionId } = await actor()
        const found = session ?? (await findSession(pie, sessionId))
        // A token's session that has expired acts for nobody: Postgres refuses it.
        return found === null || found.isExpired ? null : found
      } catch (error) {
        if (error instanceof Refusal && error.code === 'unauthenticated') return null
        throw error
      }
    },
  }
}

const readToken = (token: unknown): string | null => (typeof token === 'string' ? token : null)

/** A refusal that the application does not handle, Fastify and Express answer with this status by themselves. */
async function withStatus<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal) Object.assign(error, { statusCode: statusOf[error.code] })
    throw error
  }
}
