import { type Fault, Refusal, type RefusalCode, refusals } from '../../ground/errors.ts'
import { refuseDatabaseError } from './refuse-database-error.ts'

/** The status of each refusal. This is the only place that knows. */
export const statusOf: Record<RefusalCode, number> = {
  invalid_request: 400,
  malformed_json: 400,
  malformed_http: 400,
  weak_password: 400,
  graphql_invalid: 400,
  graphql_too_complex: 400,
  graphql_answer_too_large: 400,
  unauthenticated: 401,
  invalid_credentials: 401,
  invalid_refresh_token: 401,
  forbidden: 403,
  cross_origin: 403,
  csrf_token_missing: 403,
  csrf_token_invalid: 403,
  registration_closed: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  email_taken: 409,
  conflict: 409,
  body_too_large: 413,
  unsupported_media_type: 415,
  expectation_failed: 417,
  refused_by_application: 422,
  too_many_attempts: 429,
  too_many_requests: 429,
  headers_too_large: 431,
  hook_failed: 500,
  internal: 500,
  not_installed: 501,
  busy: 503,
  stopping: 503,
  database_unavailable: 503,
  timeout: 503,
}

/** A problem answer (RFC 9457). `code` is stable; `detail` is for people and may change. */
export interface Problem {
  type: string
  title: string
  status: number
  code: RefusalCode
  detail?: string
  errors?: Fault[]
  /** Where a CSRF token is to be had, where that is what was wrong: a path of Pie's. */
  csrf_token_url?: string
  /** Of what an application has raised for its clients: its SQLSTATE, and what it said besides its message. */
  sqlstate?: string
  explanation?: string
  hint?: string
}

/** A problem answer (RFC 9457) for an answer of any framework's. */
export interface ProblemAnswer {
  status: number
  headers: Record<string, string>
  /** JSON. */
  body: string
}

/**
 * What to answer where something was thrown: a refusal's own problem, what an error of Postgres means to whoever
 * asked, and `internal` for anything else, which says nothing of itself.
 */
export function problemOf(error: unknown): ProblemAnswer {
  const refusal = refusalOf(error)
  const problem = describeProblem(refusal)
  return {
    status: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(problem.status === 401 && { 'www-authenticate': 'Bearer' }),
      ...(refusal.retryAfterSeconds !== undefined && {
        'retry-after': String(refusal.retryAfterSeconds),
      }),
    },
    body: JSON.stringify(problem),
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  return refuseDatabaseError(error) ?? new Refusal('internal', { cause: error })
}

export function describeProblem(refusal: Refusal): Problem {
  const { code, message, faults, raised } = refusal
  return {
    type: `urn:pie:error:${code}`,
    title: refusals[code],
    status: statusOf[code],
    code,
    ...(message !== refusals[code] && { detail: message }),
    ...(faults !== undefined && { errors: faults }),
    ...(code.startsWith('csrf_token_') && { csrf_token_url: '/auth/csrf' }),
    ...(raised !== undefined && { sqlstate: raised.sqlstate }),
    ...(raised?.detail !== undefined && { explanation: raised.detail }),
    ...(raised?.hint !== undefined && { hint: raised.hint }),
  }
}
