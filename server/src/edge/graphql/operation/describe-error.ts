import { isSafeError } from 'grafast'
import { GraphQLError } from 'graphql'
import pg from 'pg'
import { type Raised, Refusal, type RefusalCode, refusals } from '../../../ground/errors.ts'
import type { Log } from '../../../ground/log.ts'
import { readRaised } from '../../request/read-raised.ts'
import { codeOfDatabaseError } from '../../request/refuse-database-error.ts'

/** An error as the answer shows it: what stands in the way of one field. */
export interface DescribedError {
  message: string
  path?: readonly (string | number)[]
  locations?: readonly { line: number; column: number }[]
  /**
   * What an application has raised for its clients is here too: its SQLSTATE, detail and hint. The detail twice: it is
   * `explanation` in a problem answer, where `detail` is the message.
   */
  extensions: {
    code: RefusalCode
    sqlstate?: string
    detail?: string
    explanation?: string
    hint?: string
  }
}

/**
 * Says of an error what its code says and no more: what Postgres says names constraints, columns and
 * values of rows. That is logged: at debug what a client can bring about whenever it likes.
 */
export function describeError(error: GraphQLError, log: Log): DescribedError {
  const cause = causeOf(error)
  const code = codeOf(cause)
  if (code === 'internal') log.error({ err: cause, code }, 'a GraphQL field failed')
  else log.debug({ err: cause, code }, 'a GraphQL field was refused')
  const { path, locations } = error
  const { message, ...raised }: Partial<Raised> & { message: string } = (cause instanceof
    pg.DatabaseError &&
    readRaised(cause)) || { message: isPublic(cause) ? cause.message : refusals[code] }
  return {
    message,
    ...(locations !== undefined && { locations }),
    ...(path !== undefined && { path }),
    extensions: {
      code,
      ...raised,
      ...(raised.detail !== undefined && { explanation: raised.detail }),
    },
  }
}

/** What was thrown, past the errors that say in which field. */
export function causeOf(error: unknown): unknown {
  if (error instanceof GraphQLError && error.originalError != null)
    return causeOf(error.originalError)
  return error
}

/** Written for clients: by GraphQL of their own values, by Grafast as a SafeError, by Pie. */
function isPublic(cause: unknown): cause is Error {
  return cause instanceof Refusal || isSafe(cause)
}

const isSafe = (cause: unknown): cause is Error => cause instanceof Error && isSafeError(cause)

function codeOf(cause: unknown): RefusalCode {
  if (cause instanceof Refusal) return cause.code
  if (cause instanceof pg.DatabaseError)
    return codeOfDatabaseError(cause) ?? raised[cause.code ?? ''] ?? 'internal'
  if (isSafe(cause) || cause instanceof GraphQLError) return 'invalid_request'
  return 'internal'
}

/** What functions of the application's raise to refuse whoever asks. */
const raised: Record<string, RefusalCode> = { 28000: 'forbidden' }
