import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../../ground/log.ts'
import type { RequestCounts } from '../metrics/request-counts.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The code of the problem that it was answered with. */
    refusedFor?: string
  }
  interface FastifyContextConfig {
    /** Asked by a machine every few seconds: a line of the log is for what is not as always. */
    isProbe?: boolean
  }
}

export interface Watching {
  isLogged: boolean
  /** Null where nobody may read the metrics. */
  counts: RequestCounts | null
}

/** Gives a request's id back, and when it is over, answered or not, counts it and logs a line. */
export function watchRequest(
  { isLogged, counts }: Watching,
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
): void {
  void reply.header('x-request-id', id)
  if (counts === null && !isLogged) return
  // Which comes after the answer, and instead of one where the client has gone.
  reply.raw.once('close', () => {
    const { method, refusedFor: code = null } = request
    const route = request.routeOptions.url ?? null
    const milliseconds = reply.elapsedTime
    const status = reply.raw.writableFinished ? reply.raw.statusCode : null
    counts?.count({ method, route, status, milliseconds, code })
    if (!isLogged || (status === 200 && request.routeOptions.config.isProbe)) return
    request.log.info(
      {
        method,
        route,
        status,
        ms: Math.round(milliseconds * 10) / 10,
        ...(code !== null && { code }),
        ...(request.actor && { session: request.actor.sessionId.slice(0, 8) }),
      },
      'request',
    )
  })
}

/** The same for what could not be parsed as HTTP, and never becomes a request. */
export function watchMalformed(
  { isLogged, counts }: Watching,
  log: Log,
  answer: { reqId: string; status: number; code: string },
): void {
  counts?.countMalformed()
  if (isLogged) log.info(answer, 'malformed request')
}
