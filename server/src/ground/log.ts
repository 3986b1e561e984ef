import { type Logger, pino } from 'pino'

export type Log = Logger
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** Lines of JSON on standard output; readable ones, in colour, when `isPretty`. */
export function createLog(level: LogLevel, isPretty: boolean): Log {
  if (!isPretty) return pino({ level })
  return pino({
    level,
    transport: {
      target: 'pino-pretty',
      options: { ignore: 'pid,hostname,reqId', singleLine: true, translateTime: 'HH:MM:ss.l' },
    },
  })
}
