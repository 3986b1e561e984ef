import { type Logger, type LoggerOptions, pino } from 'pino'
import { checkInstalled } from './load-optional.ts'

export type Log = Logger
type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** How Pie logs, whichever way the lines go. */
export const logOptions = (level: LogLevel): LoggerOptions => ({
  level,
  serializers: { err: describeError },
})

/** Lines of JSON on standard output; readable ones, in colour, when `isPretty`. */
export function createLog(level: LogLevel, isPretty: boolean): Log {
  if (!isPretty) return pino(logOptions(level))
  try {
    checkInstalled({ what: 'A readable log', packages: ['pino-pretty'] })
  } catch (error) {
    const log = pino(logOptions(level))
    log.warn((error as Error).message)
    return log
  }
  return pino({
    ...logOptions(level),
    transport: {
      target: 'pino-pretty',
      options: { ignore: 'pid,hostname,reqId', singleLine: true, translateTime: 'HH:MM:ss.l' },
    },
  })
}

/**
 * What is logged of an error: these members and no others. An error of pg's carries its connection, and
 * in `detail` the values of the row that was refused.
 */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) }
  const { name, message, stack, cause } = error
  const { code } = error as { code?: unknown }
  return {
    type: name,
    message,
    ...(typeof code === 'string' && { code }),
    stack,
    ...(cause !== undefined && { cause: describeError(cause) }),
  }
}
