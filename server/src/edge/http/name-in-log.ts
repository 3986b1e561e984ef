import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * What the client holds is in every line of its request from here on, Fastify's own `request completed` too: beside `reqId`, by
 * which the application's lines of before are found.
 */
export function nameInLog(request: FastifyRequest, reply: FastifyReply, requestId: string): void {
  const log = request.log.child({ requestId })
  request.log = log
  reply.log = log
}
