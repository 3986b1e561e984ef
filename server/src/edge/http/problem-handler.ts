import type { FastifyReply, FastifyRequest } from 'fastify'
import pg from 'pg'
import { Refusal } from '../../ground/errors.ts'
import { codeOfDatabaseError } from '../request/code-of-database-error.ts'
import { answerWithProblem } from './answer-with-problem.ts'

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
  const code = error instanceof pg.DatabaseError ? codeOfDatabaseError(error) : undefined
  return code === undefined ? error : new Refusal(code, { cause: error })
}
