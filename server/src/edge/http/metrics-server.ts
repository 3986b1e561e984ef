import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Metrics } from '../metrics/metrics.ts'
import { answerWithProblem } from './answer-with-problem.ts'
import { checkHost } from './check-host.ts'
import { guard } from './guard.ts'
import type { Pie } from './pie.ts'
import { rateLimits } from './rate-limit.ts'
import { refuseWhileClosing } from './refuse-while-closing.ts'
import { cacheStatusRoute } from './routes/operations/cache-status.ts'
import { healthRoutes } from './routes/operations/health.ts'
import { metricsRoute } from './routes/operations/metrics.ts'
import { readSecurityHeaders } from './security-headers.ts'
import { createBareServer, type ServerOptions } from './server.ts'
import { Problem } from './shapes.ts'
import { watchRequest } from './watch-requests.ts'

/** A server for those who watch, on an address of its own: `/metrics`, `/health/…`, and nothing else. */
export async function createMetricsServer(
  pie: Pie,
  metrics: Metrics,
  options: ServerOptions,
): Promise<FastifyInstance> {
  const securityHeaders = await readSecurityHeaders(pie.policy)
  const bare = createBareServer(pie, options, securityHeaders)
  const app = bare.withTypeProvider<TypeBoxTypeProvider>()
  app.setErrorHandler(answerWithProblem)
  app.addSchema(Problem)
  app.addHook('onRequest', (request, reply, done) => {
    watchRequest(options.watching, request, reply, request.id)
    void reply.headers(securityHeaders)
    checkHost(request, reply)
    done()
  })
  refuseWhileClosing(bare)
  await app.register(guard, { pie, metricsToken: metrics.token })
  await app.register(rateLimits, { shared: pie.shared, scale: options.rateLimitScale })
  healthRoutes(app, pie)
  cacheStatusRoute(app, pie)
  metricsRoute(app, metrics)
  return bare
}
