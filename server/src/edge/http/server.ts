import type { Socket } from 'node:net'
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { Refusal } from '../../ground/errors.ts'
import { describeProblem } from '../request/problem.ts'
import { answerWithProblem } from './answer-with-problem.ts'
import type { Pie } from './pie.ts'
import { BODY_LIMIT_BYTES, pieRoutes } from './routes.ts'
import { readSecurityHeaders } from './security-headers.ts'

export interface ServerOptions {
  /** Addresses and networks, or through how many of them every request comes. */
  trustedProxies: string[] | number
  rateLimitScale: number
  version: string
}

/** Builds an HTTP server of Pie's own. */
export async function createServer(
  pie: Pie,
  { trustedProxies, rateLimitScale, version }: ServerOptions,
): Promise<FastifyInstance> {
  const securityHeaders = await readSecurityHeaders(pie.policy)
  const app = fastify({
    loggerInstance: pie.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: trustOf(trustedProxies),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) =>
      void answerWithProblem(error, request, reply.headers(securityHeaders)),
    clientErrorHandler: (error, socket) => answerBrokenHttp(error, socket, securityHeaders),
  })
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods.filter(
      (method) => app.findRoute({ method, url: pathOf(request.url) }) !== null,
    )
    // Where the route is there but what it serves is not, its own method is among them.
    if (allowed.length === 0 || allowed.some((method) => method === request.method))
      throw new Refusal('not_found')
    reply.header('allow', allowed.join(', '))
    throw new Refusal('method_not_allowed')
  })
  if (pie.log.isLevelEnabled('debug')) logRequests(app)
  // As a part of it, so that what is found nowhere is answered with the same care.
  await app.register(fastifyPlugin(pieRoutes), {
    pie,
    securityHeaders,
    rateLimitScale,
    version,
    isWholeServer: true,
  })
  return app
}

/** A number of proxies: those nearest to Pie, whatever their addresses. Fastify takes no number, because it cannot know that nobody comes past them. */
function trustOf(
  proxies: string[] | number,
): string[] | ((address: string, hop: number) => boolean) | false {
  if (typeof proxies === 'number') return (_address, hop) => hop < proxies
  return proxies.length > 0 ? proxies : false
}

function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { method, url } = request
    const path = pathOf(url)
    request.log.debug({ method, path, status: reply.statusCode, ms: reply.elapsedTime }, 'request')
    done()
  })
}

/** Without the query: that is where careless clients put secrets. */
const pathOf = (url: string): string => url.split('?', 1)[0] ?? url

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** What cannot be parsed as HTTP never becomes a request: it is answered on the bare connection. */
function answerBrokenHttp(
  error: Error & { code?: string },
  socket: Socket,
  securityHeaders: Record<string, string>,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const problem = describeProblem(
    new Refusal(error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'malformed_http'),
  )
  const body = JSON.stringify(problem)
  const careful = Object.entries(securityHeaders).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(
    `HTTP/1.1 ${problem.status} Refused\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n${careful.join('')}\r\n${body}`,
  )
}
