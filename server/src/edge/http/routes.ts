import { AjvCompiler } from '@fastify/ajv-compiler'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Metrics } from '../metrics/metrics.ts'
import { allowOrigins } from './allow-origins.ts'
import { answerWithProblem } from './answer-with-problem.ts'
import { takeBodies } from './bodies.ts'
import { checkHost } from './check-host.ts'
import { guard } from './guard.ts'
import { nameInLog } from './name-in-log.ts'
import type { Pie } from './pie.ts'
import { rateLimits } from './rate-limit.ts'
import { refuseWhileClosing } from './refuse-while-closing.ts'
import { passwordRoute } from './routes/account/password.ts'
import { usersMeRoutes } from './routes/account/users-me.ts'
import { csrfRoute } from './routes/auth/csrf.ts'
import { jwksRoute } from './routes/auth/jwks.ts'
import { loginRoute } from './routes/auth/login.ts'
import { logoutRoute } from './routes/auth/logout.ts'
import { refreshRoute } from './routes/auth/refresh.ts'
import { registerRoute } from './routes/auth/register.ts'
import { sessionRoute } from './routes/auth/session.ts'
import { sessionsRoutes } from './routes/auth/sessions.ts'
import { editorRoutes } from './routes/graphql/editor.ts'
import { graphqlRoute } from './routes/graphql/graphql.ts'
import { cacheStatusRoute } from './routes/operations/cache-status.ts'
import { describeRoutes, documentationRoutes } from './routes/operations/documentation.ts'
import { healthRoutes } from './routes/operations/health.ts'
import { metricsRoute } from './routes/operations/metrics.ts'
import { startRoute } from './routes/start/start.ts'
import { CookieSession, Device, IssuedTokens, Problem, Session, User } from './shapes.ts'
import { type Watching, watchRequest } from './watch-requests.ts'

/** No request of Pie's is larger: a password is at most 1024 characters, a token a few kilobytes. */
export const BODY_LIMIT_BYTES = 64 * 1024

export interface RouteOptions {
  pie: Pie
  /** Null where nobody may read them here. */
  metrics: Metrics | null
  watching: Watching
  /** By which a request is found again in a log. */
  requestId(request: FastifyRequest): string
  securityHeaders: Record<string, string>
  rateLimitScale: number
  version: string
  /** Where it is a part of another, CORS is the other's. */
  isWholeServer: boolean
}

/**
 * Everything that Pie serves, in the order in which it is documented, with all that its routes need: so it
 * can be the whole of a server, or a room of its own in somebody else's.
 */
export async function pieRoutes(instance: FastifyInstance, options: RouteOptions): Promise<void> {
  const { pie, metrics, watching, requestId } = options
  const { securityHeaders, rateLimitScale, version, isWholeServer } = options
  const app = instance.withTypeProvider<TypeBoxTypeProvider>()
  app.addHook('onRoute', (route) => {
    route.bodyLimit ??= BODY_LIMIT_BYTES
  })
  // What is sent is taken as it is, or refused: nothing is converted, dropped or filled in.
  app.setSchemaController({ compilersFactory: { buildValidator: buildStrictValidator } })
  takeBodies(app)
  app.setErrorHandler(answerWithProblem)
  for (const shape of [User, Session, Device, IssuedTokens, CookieSession, Problem])
    app.addSchema(shape)

  app.addHook('onRequest', (request, reply, done) => {
    const id = requestId(request)
    if (id !== request.id) nameInLog(request, reply, id)
    watchRequest(watching, request, reply, id)
    void reply.headers(securityHeaders)
    if (isWholeServer) checkHost(request, reply)
    done()
  })
  if (isWholeServer) refuseWhileClosing(instance)
  await app.register(allowOrigins, {
    origins: isWholeServer ? pie.policy.service.allowedOrigins : [],
  })
  await app.register(guard, { pie, metricsToken: metrics?.token ?? null })
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
  graphqlRoute(app, pie, rateLimitScale)
  jwksRoute(app, pie)
  healthRoutes(app, pie)
  cacheStatusRoute(app, pie)
  if (metrics !== null && metrics.token !== null) metricsRoute(app, metrics)
  await documentationRoutes(app, pie.policy.service.name)
  if (pie.graphql.hasEditor) editorRoutes(app)
  // Where it is a part of another, that is the other's.
  if (isWholeServer) startRoute(app, pie, version)
}

const buildStrictValidator: ReturnType<typeof AjvCompiler> = (schemas) =>
  AjvCompiler()(schemas, {
    customOptions: {
      coerceTypes: false,
      removeAdditional: false,
      useDefaults: false,
      allErrors: false,
    },
  })
