import type { Duplex } from 'node:stream'
import pg from 'pg'
import { Refusal } from '../errors.ts'
import { noteGivenUp } from './given-up.ts'

/** How long a request waits for a connection; after that long no other host is tried for it. */
export const WAIT_FOR_CONNECTION_MS = 5_000

/** How long it waits for an answer: longer than statement_timeout, so only a server gone silent is cut off. */
export const WAIT_FOR_ANSWER_MS = 20_000

/** Somebody has waited for an answer for as long as anybody should. */
export class NoAnswer extends Error {
  constructor() {
    super('Postgres has not answered in time')
  }
}

/** Ends a connection without a word; what waits for it fails. */
export function cutOff(client: pg.ClientBase, why: Error = new NoAnswer()): void {
  const { connection } = client as unknown as { connection: { stream: Duplex } }
  noteGivenUp(client)
  connection.stream.destroy(why)
}

/** Whether an error is of the connection rather than of the statement. After FATAL the server hangs up. */
export function isConnectionLost(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || error.severity === 'FATAL'
}

/** Whether what could not be connected had been let in, and failed at the first thing that it was asked. */
export function hasConnected(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === 'ERROR'
}

/**
 * What a request is told when Postgres could not answer it: `database_unavailable`, or `timeout` where
 * statement_timeout or lock_timeout has passed, `hook_failed` where the application's hook broke it
 * (PI002). What a statement raised otherwise is returned as it is.
 */
export function toRefusal(cause: unknown): unknown {
  // Why it was cut off, where Pie has done that.
  if (cause instanceof Refusal) return cause
  if (isConnectionLost(cause) || isReadOnly(cause) || isExhausted(cause))
    return new Refusal('database_unavailable', { retryAfterSeconds: 2, cause })
  const { code = '' } = cause as pg.DatabaseError
  // SQLSTATE query_canceled, lock_not_available
  if (code === '57014' || code === '55P03')
    return new Refusal('timeout', { retryAfterSeconds: 2, cause })
  return code === 'PI002' ? new Refusal('hook_failed', { cause }) : cause
}

/**
 * SQLSTATE 25006, read_only_sql_transaction: what Postgres raises for a change on a standby, or where
 * default_transaction_read_only is set, and what Pie's functions raise where a session is to be proven on a standby.
 */
export function isReadOnly(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '25006'
}

/** SQLSTATE class 53: the server has no room, memory or connections left. */
function isExhausted(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code?.startsWith('53') ?? false)
}

/** SQLSTATE serialization_failure, deadlock_detected: a transaction has met another, and may be sent again as it is. */
export function isConflict(error: unknown): boolean {
  return error instanceof pg.DatabaseError && ['40001', '40P01'].includes(error.code ?? '')
}

/** SQLSTATE 0A000, feature_not_supported: what was prepared before its tables changed ("cached plan must not change result type"). */
export function isPlanOutdated(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '0A000'
}
