import type { Duplex } from 'node:stream'
import pg from 'pg'
import { Refusal } from '../errors.ts'

/** How long a request waits for a connection. */
export const WAIT_FOR_CONNECTION_MS = 5_000

/** How long it waits for an answer: longer than statement_timeout, so only a server gone silent is cut off. */
export const WAIT_FOR_ANSWER_MS = 20_000

/** Ends a connection without a word; what waits for it fails. */
export function cutOff(client: pg.Client | pg.PoolClient): void {
  const { connection } = client as unknown as { connection: { stream: Duplex } }
  connection.stream.destroy(new Error('Postgres has not answered in time'))
}

/** Whether an error is of the connection rather than of the statement. After FATAL the server hangs up. */
export function isConnectionLost(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || error.severity === 'FATAL'
}

/**
 * What a request is told when Postgres could not answer it: `database_unavailable`, or `timeout` where
 * statement_timeout has passed (SQLSTATE 57014), `hook_failed` where the application's hook broke it
 * (PI002). What a statement raised otherwise is returned as it is.
 */
export function toRefusal(cause: unknown): unknown {
  if (isConnectionLost(cause))
    return new Refusal('database_unavailable', { retryAfterSeconds: 2, cause })
  const { code } = cause as pg.DatabaseError
  if (code === '57014') return new Refusal('timeout', { retryAfterSeconds: 2, cause })
  return code === 'PI002' ? new Refusal('hook_failed', { cause }) : cause
}
