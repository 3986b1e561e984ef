import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import pg from 'pg'
import { isConflict } from '../../ground/database/lost-connection.ts'
import { Refusal, type RefusalCode } from '../../ground/errors.ts'
import { withoutStack } from '../../ground/without-stack.ts'
import { showsBearer } from '../request/actor.ts'
import { describeProblem } from '../request/problem.ts'

/** Fastify's error handler: everything that was thrown becomes a problem answer, and only bugs are logged. */
export function answerWithProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const refusal = toRefusal(error, request)
  const problem = describeProblem(refusal)
  request.refusedFor = problem.code
  const cause = refusal.cause ?? error
  if (problem.status >= 500)
    // A 503 is the same for every request, thousands of them while Postgres is away: where each was refused says nothing.
    request.log.error(
      { err: problem.status === 503 ? withoutStack(cause) : cause, code: refusal.code },
      'request failed',
    )
  else if (cause instanceof pg.DatabaseError)
    request.log.debug({ err: cause, code: refusal.code }, 'request refused')
  if (problem.status === 401) reply.header('www-authenticate', challengeFor(refusal, request))
  if (refusal.retryAfterSeconds !== undefined)
    reply.header('retry-after', refusal.retryAfterSeconds)
  return reply
    .code(problem.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(JSON.stringify(problem))
}

/** RFC 6750 section 3: what is wrong with a token is said only to somebody who has shown one. */
function challengeFor(refusal: Refusal, request: FastifyRequest): string {
  const hasToken = refusal.code === 'unauthenticated' && showsBearer(request)
  return hasToken ? 'Bearer error="invalid_token"' : 'Bearer'
}

/** Codes of Fastify's own errors, as far as a request can cause them. */
const fastifyCodes: Record<string, RefusalCode> = {
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_BAD_URL: 'invalid_request',
  FST_ERR_ASYNC_CONSTRAINT: 'invalid_request',
}

function toRefusal(error: unknown, request: FastifyRequest): Refusal {
  if (error instanceof Refusal) return error
  if (isConflict(error)) return new Refusal('busy', { retryAfterSeconds: 1, cause: error })
  const { code = '', validation, validationContext, statusCode } = error as Partial<FastifyError>
  if (validation !== undefined) {
    if (validationContext === 'body' && (request.body ?? null) === null) return missingBody(request)
    const faults = validation.map(({ instancePath, message = 'is not valid', params }) => ({
      path: `${instancePath}${namedIn(params)}` || '/',
      message,
    }))
    return new Refusal('invalid_request', {
      faults,
      detail: `The ${validationContext ?? 'request'} has mistakes.`,
    })
  }
  const known = fastifyCodes[code]
  if (known !== undefined) return new Refusal(known, { cause: error })
  // secure-json-parse throws a SyntaxError with a status where a key could reach a prototype.
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new Refusal(error instanceof SyntaxError ? 'malformed_json' : 'invalid_request', {
      cause: error,
    })
  }
  return new Refusal('internal', { cause: error })
}

/** A body of `null` is said to be none too. */
function missingBody({ routeOptions }: FastifyRequest): Refusal {
  const { required = [] } = (routeOptions.schema?.body ?? {}) as { required?: string[] }
  return new Refusal('invalid_request', {
    detail: 'There is no body. This takes one, as application/json.',
    faults: required.map((name) => ({ path: `/${name}`, message: 'is missing' })),
  })
}

/** Ajv names a missing or surplus member beside the path, not in it. */
function namedIn(params: Record<string, unknown> = {}): string {
  const name = params['missingProperty'] ?? params['additionalProperty']
  return typeof name === 'string' ? `/${name}` : ''
}
