import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { Metrics } from '../metrics/metrics.ts'
import { answerBrokenHttp, answerStrayRequests } from './answer-broken-http.ts'
import { answerWithProblem } from './answer-with-problem.ts'
import { hangUpOnSlowBodies } from './hang-up.ts'
import type { Pie } from './pie.ts'
import { refuseUnknown } from './refuse-unknown.ts'
import { requestIdOf } from './request-id.ts'
import { BODY_LIMIT_BYTES, pieRoutes, type RouteOptions } from './routes.ts'
import { readSecurityHeaders } from './security-headers.ts'
import { trustsOf } from './trusted-proxies.ts'
import { type Watching, watchRequest } from './watch-requests.ts'

export interface ServerOptions {
  /** Addresses and networks, or through how many of them every request comes. */
  trustedProxies: string[] | number
  rateLimitScale: number
  version: string
  metrics: Metrics | null
  watching: Watching
}

/** How long a request may take to arrive, with its body. Node looks now and then, so that it may be a little more. */
const REQUEST_TIMEOUT_MS = 30_000
const HEADERS_TIMEOUT_MS = 15_000
const CHECK_EVERY_MS = 5_000

/** Of one process: more are closed as they come. Whoever bounds those of one client is the proxy before it. */
const MOST_CONNECTIONS = 10_000

/** Builds an HTTP server of Pie's own. */
export async function createServer(pie: Pie, options: ServerOptions): Promise<FastifyInstance> {
  const { metrics, watching, rateLimitScale, version } = options
  const securityHeaders = await readSecurityHeaders(pie.policy)
  const app = createBareServer(pie, options, securityHeaders)
  // As a part of it, so that what is found nowhere is answered with the same care. Not pieRoutes itself, which this marks for good:
  // in an application of the same process they would then be a part of that.
  const wholeServer = fastifyPlugin((server: FastifyInstance, own: RouteOptions) =>
    pieRoutes(server, own),
  )
  await app.register(wholeServer, {
    pie,
    metrics,
    watching,
    requestId: (request) => request.id,
    securityHeaders,
    rateLimitScale,
    version,
    isWholeServer: true,
  })
  return app
}

/** One that serves nothing yet, and answers with care what it does not serve. */
export function createBareServer(
  pie: Pie,
  { trustedProxies, watching }: Pick<ServerOptions, 'trustedProxies' | 'watching'>,
  securityHeaders: Record<string, string>,
): FastifyInstance {
  const trusts = trustsOf(trustedProxies)
  const app = fastify({
    loggerInstance: pie.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: trusts,
    genReqId: (request) => requestIdOf(request, trusts),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: {
      // Node would answer without a word; see check-host.ts.
      requireHostHeader: false,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
    },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) => {
      watchRequest(watching, request, reply, request.id)
      answerWithProblem(error, request, reply.headers(securityHeaders))
    },
    clientErrorHandler: (error, socket) =>
      answerBrokenHttp(error, socket, { securityHeaders, watching, log: pie.log }),
  })
  app.server.maxConnections = MOST_CONNECTIONS
  hangUpOnSlowBodies(app.server)
  answerStrayRequests(app.server, { securityHeaders, watching, log: pie.log })
  refuseUnknown(app)
  return app
}
