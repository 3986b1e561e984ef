import type { FastifyReply, FastifyRequest } from 'fastify'
import { refuseDatabaseError } from '../request/refuse-database-error.ts'
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
  return answerWithProblem(refuseDatabaseError(error) ?? error, request, reply)
}
