/**
 * The catalogue of refusals: a stable code, and what the world is told.
 *
 * Features throw a `Refusal`; `edge/http/problem.ts` alone knows the status that goes with a code, and
 * `docs/errors.md` explains each one.
 */
export const refusals = {
  invalid_request: 'The request is not of the form that this endpoint takes.',
  malformed_json: 'The body is not valid JSON.',
  unsupported_media_type: 'This endpoint does not take a body of this type.',
  body_too_large: 'The body is larger than this endpoint takes.',
  malformed_http: 'The request is not valid HTTP.',
  expectation_failed: 'This server meets no expectation but 100-continue.',
  request_timeout: 'The request did not arrive in time.',
  headers_too_large: 'The headers are larger than this server takes.',
  not_found: 'There is nothing at this address.',
  method_not_allowed: 'This address does not take this method.',
  graphql_invalid: 'The GraphQL document is not valid, or asks for what this schema does not have.',
  graphql_too_complex: 'The GraphQL document asks for too much at once.',
  graphql_answer_too_large:
    'The answer would be larger than this service gives. Ask for fewer fields, or smaller pages.',
  unauthenticated:
    'This needs to know who asks: by a session’s cookie, or a token sent as Authorization: Bearer.',
  invalid_credentials: 'The address or the password is wrong.',
  invalid_refresh_token: 'The refresh token is not valid, or no longer. Sign in again.',
  email_taken: 'This address belongs to another account.',
  conflict: 'This is in conflict with what is there already.',
  weak_password: 'This password is too easy to guess.',
  registration_closed: 'This service takes no registrations.',
  stopping: 'This server is stopping. Another try reaches one that is not.',
  refused_by_application: 'The application refuses this.',
  too_many_attempts: 'Too many attempts. Wait, then try again.',
  too_many_requests: 'Too many requests. Wait, then try again.',
  forbidden: 'This is not allowed.',
  cross_origin: 'This request comes from a page of another origin.',
  csrf_token_missing: 'This needs a CSRF token: GET /auth/csrf, then send it as X-CSRF-Token.',
  csrf_token_invalid:
    'The CSRF token is not valid for this session, or no longer. Get another: GET /auth/csrf.',
  busy: 'The server is busy. Try again in a moment.',
  database_unavailable: 'The database cannot be reached. Try again in a moment.',
  not_installed: 'This service runs without this part.',
  hook_failed: 'The application could not take this up. Nothing was changed.',
  timeout: 'The request took too long and was given up. Nothing was changed.',
  internal: 'Something went wrong on our side. It has been logged.',
} as const

export type RefusalCode = keyof typeof refusals

/** A part of the request that is wrong: where (a JSON pointer such as `/password`) and why. */
export interface Fault {
  path: string
  message: string
}

/** What an application's own SQL has raised for its clients, in its words. */
export interface Raised {
  sqlstate: string
  message: string
  detail?: string
  hint?: string
}

export interface RefusalDetails {
  /** Says more than the catalogue's sentence. Public: never a secret, never another user's existence. */
  detail?: string
  /** Which parts of the request are wrong. */
  faults?: Fault[]
  /** After how many seconds another try makes sense. */
  retryAfterSeconds?: number
  /** What the application says of it. Public. */
  raised?: Raised
  /** What happened inside. Logged where it matters, never sent. */
  cause?: unknown
}

/** Thrown to refuse a request for a reason that its sender may know. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  readonly faults: Fault[] | undefined
  readonly retryAfterSeconds: number | undefined
  readonly raised: Raised | undefined

  constructor(code: RefusalCode, details: RefusalDetails = {}) {
    // No stack: a refusal is an answer and no fault, and nonsense should cost as little as it can. What
    // went wrong inside is its cause, which has one.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(details.detail ?? details.raised?.message ?? refusals[code], { cause: details.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
    this.faults = details.faults
    this.retryAfterSeconds = details.retryAfterSeconds
    this.raised = details.raised
  }
}

/** Thrown when Pie cannot start or a command cannot run, with a message for the operator. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
}
