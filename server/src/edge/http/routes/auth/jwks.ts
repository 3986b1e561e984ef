import { Type } from 'typebox'
import type { App } from '../../app.ts'
import type { Pie } from '../../pie.ts'
import { perMinute } from '../../rate-limit.ts'

export function jwksRoute(app: App, pie: Pie): void {
  app.get(
    '/.well-known/jwks.json',
    {
      config: { access: 'open', rateLimit: perMinute(600) },
      schema: {
        operationId: 'getJwks',
        summary: 'The keys that access tokens are signed with',
        description:
          'A JSON Web Key Set (RFC 7517). It may be kept for five minutes; keys are announced ten minutes ahead.',
        tags: ['well-known'],
        security: [],
        response: {
          200: Type.Object({
            keys: Type.Array(
              Type.Object({
                kty: Type.String(),
                crv: Type.String(),
                x: Type.String(),
                y: Type.String(),
                kid: Type.String(),
                use: Type.String(),
                alg: Type.String(),
              }),
            ),
          }),
        },
      },
    },
    async (_request, reply) =>
      reply.header('cache-control', 'public, max-age=300').send({ keys: pie.keyRing.published() }),
  )
}
