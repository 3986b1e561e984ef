import type { Socket } from 'node:net'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { type FastifyBaseLogger, fastify, LogController } from 'fastify'
import { Refusal } from '../../ground/errors.ts'
import { allowOrigins } from './allow-origins.ts'
import type { App } from './app.ts'
import { takeBodies } from './bodies.ts'
import { guard } from './guard.ts'
import type { Pie } from './pie.ts'
import { answerWithProblem, describeProblem } from './problem.ts'
import { rateLimits } from './rate-limit.ts'
import { cacheStatusRoute } from './routes/cache-status.ts'
import { csrfRoute } from './routes/csrf.ts'
import { describeRoutes, documentationRoutes } from './routes/documentation.ts'
import { healthRoutes } from './routes/health.ts'
import { jwksRoute } from './routes/jwks.ts'
import { loginRoute } from './routes/login.ts'
import { logoutRoute } from './routes/logout.ts'
import { passwordRoute } from './routes/password.ts'
import { refreshRoute } from './routes/refresh.ts'
import { registerRoute } from './routes/register.ts'
import { sessionRoute } from './routes/session.ts'
import { sessionsRoutes } from './routes/sessions.ts'
import { usersMeRoutes } from './routes/users-me.ts'
import { readSecurityHeaders } from './security-headers.ts'
import { CookieSession, Device, IssuedTokens, Problem, Session, User } from './shapes.ts'

/** No request of Pie's is larger: a password is at most 1024 characters, a token a few kilobytes. */
const BODY_LIMIT_BYTES = 64 * 1024

export interface ServerOptions {
  trustedProxies: string[]
  rateLimitScale: number
  version: string
}

/** Builds the HTTP server: every route of Pie's, in the order in which they are documented. */
export async function createServer(
  pie: Pie,
  { trustedProxies, rateLimitScale, version }: ServerOptions,
): Promise<App> {
  const securityHeaders = await readSecurityHeaders(pie.policy)
  const app = fastify({
    loggerInstance: pie.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: trustedProxies.length > 0 ? trustedProxies : false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allErrors: false,
      },
    },
    frameworkErrors: (error, request, reply) =>
      void answerWithProblem(error, request, reply.headers(securityHeaders)),
    clientErrorHandler: (error, socket) => answerBrokenHttp(error, socket, securityHeaders),
  }).withTypeProvider<TypeBoxTypeProvider>()

  takeBodies(app)
  app.setErrorHandler(answerWithProblem)
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
  for (const shape of [User, Session, Device, IssuedTokens, CookieSession, Problem])
    app.addSchema(shape)

  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(securityHeaders)
    done()
  })
  await app.register(allowOrigins, { origins: pie.policy.allowedOrigins })
  await app.register(guard, { pie })
  await app.register(rateLimits, { shared: pie.shared, scale: rateLimitScale })
  await describeRoutes(app, pie.policy, version)
  registerRoute(app, pie)
  loginRoute(app, pie)
  refreshRoute(app, pie)
  logoutRoute(app, pie)
  sessionRoute(app, pie)
  sessionsRoutes(app, pie)
  csrfRoute(app, pie)
  usersMeRoutes(app, pie)
  passwordRoute(app, pie)
  jwksRoute(app, pie)
  healthRoutes(app, pie)
  cacheStatusRoute(app, pie)
  await documentationRoutes(app, pie.policy.serviceName)
  return app
}

function logRequests(app: App): void {
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
