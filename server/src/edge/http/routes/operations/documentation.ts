import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { Policy } from '../../../../ground/policy.ts'
import { cookieName } from '../../../request/session-cookie.ts'
import type { App } from '../../app.ts'
import { perMinute } from '../../rate-limit.ts'

/** Describes the routes that are added after this. */
export async function describeRoutes(app: App, policy: Policy, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: policy.service.name,
        version,
        description:
          'Sign-in, sessions and tokens. Errors are problem answers (RFC 9457) with a stable `code`. Beside what each ' +
          'operation lists, any may answer 405 (with `Allow`), 408, 413, 415, 417, 429 (with `Retry-After`), 431, 500 ' +
          'and 503 (with `Retry-After`, where another try makes sense). This description is at `/openapi.json`.',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          cookie: {
            type: 'apiKey',
            in: 'cookie',
            // Its port may be known only when the server listens.
            get name() {
              return cookieName(policy)
            },
          },
        },
      },
      security: [{ bearer: [] }, { cookie: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        String(json['$id'] ?? `schema-${index}`),
    },
  })
}

/** `/openapi.json`, and a reader for it at `/docs`. */
export async function documentationRoutes(app: App, serviceName: string): Promise<void> {
  app.get(
    '/openapi.json',
    { config: { access: 'open', rateLimit: perMinute(120) }, schema: { hide: true } },
    async (_request, reply) =>
      reply.header('cache-control', 'public, max-age=60').send(app.swagger()),
  )
  await app.register(async (docs) => {
    // The reader is somebody else's plugin, with routes of its own: all of them are open.
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'open', rateLimit: perMinute(600) }
    })
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: true,
      // It may be served over http, on a laptop's address.
      transformStaticCSP: (policy) => policy.replace(/\s*upgrade-insecure-requests;?/, ''),
      theme: {
        title: serviceName,
        // The bar offers to read other services' descriptions; and the plugin has an address of its own for this one.
        css: [
          {
            filename: 'pie.css',
            content: '.swagger-ui .topbar, .swagger-ui .info hgroup > a { display: none }',
          },
        ],
      },
    })
  })
}
