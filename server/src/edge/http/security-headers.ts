import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { Policy } from '../../ground/ground.ts'

/** The same for what never becomes a request, where no hook runs. */
export const carefulHeaders = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none';form-action 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** Headers that make browsers careful. Answers are data: nothing in them may run, frame or be framed. */
export const securityHeaders = fastifyPlugin(
  async (app: FastifyInstance, { policy }: { policy: Policy }) => {
    await app.register(helmet, {
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          'default-src': ["'none'"],
          'frame-ancestors': ["'none'"],
          'form-action': ["'none'"],
        },
      },
      strictTransportSecurity: policy.issuer.startsWith('https:')
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
  },
)
