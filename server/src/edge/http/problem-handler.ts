import type { FastifyReply, FastifyRequest } from 'fastify'
import pg from 'pg'
import { Refusal, type RefusalCode } from '../../ground/errors.ts'
import { answerWithProblem } from './problem.ts'

/**
 * What the errors of Postgres mean to whoever sent the request, by SQLSTATE or its class (PostgreSQL manual,
 * appendix A). Which row, constraint or value it was stays inside: it may be somebody else's.
 */
const refusalBySqlState: Record<string, RefusalCode> = {
  '42501': 'forbidden', // insufficient privilege, and what a policy refuses to write
  '23505': 'conflict', // unique violation
  '23503': 'conflict', // foreign key violation
  '23P01': 'conflict', // exclusion violation
  '23502': 'invalid_request', // not null violation
  '23514': 'invalid_request', // check violation
  '22': 'invalid_request', // data exceptions: too long, out of range, not of the type
  '40': 'busy', // serialization failures and deadlocks
  '55P03': 'busy', // lock not available
}

/**
 * For `setErrorHandler` of an application with Pie inside: its errors become problem answers (RFC 9457) as
 * Pie's are, with a stable `code` and nothing of its insides. What nobody foresaw is logged, and is
 * `internal`.
 */
export function problemHandler(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  return answerWithProblem(explain(error), request, reply)
}

function explain(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return error
  const code = refusalBySqlState[error.code] ?? refusalBySqlState[error.code.slice(0, 2)]
  return code === undefined ? error : new Refusal(code, { cause: error })
}
