import helmet from '@fastify/helmet'
import { fastify } from 'fastify'
import type { Policy } from '../../ground/policy.ts'

/**
 * Headers that make browsers careful. Answers are data: nothing in them may run, frame or be framed.
 *
 * Asked of Fastify's plugin once, of a server that answers nothing else: on every request it would build
 * all of its middleware anew, which takes longer than answering.
 */
export async function readSecurityHeaders({
  service,
}: Pick<Policy, 'service'>): Promise<Record<string, string>> {
  const app = fastify()
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'frame-ancestors': ["'none'"],
        'form-action': ["'none'"],
      },
    },
    strictTransportSecurity: service.origin.startsWith('https:')
      ? { maxAge: 63_072_000, includeSubDomains: false }
      : false,
    referrerPolicy: { policy: 'no-referrer' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
    originAgentCluster: false,
  })
  app.get('/', async () => null)
  const { headers } = await app.inject('/')
  await app.close()
  const own = new Set(['content-length', 'content-type', 'date', 'connection'])
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' && !own.has(name) ? [[name, value]] : [],
    ),
  )
}
