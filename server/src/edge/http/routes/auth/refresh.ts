import { Type } from 'typebox'
import { refreshTokens } from '../../../../features/tokens/refresh-tokens.ts'
import { addressOf } from '../../../request/device.ts'
import type { App } from '../../app.ts'
import type { Pie } from '../../pie.ts'
import { perMinute } from '../../rate-limit.ts'
import { problems, Token } from '../../shapes.ts'

export function refreshRoute(app: App, pie: Pie): void {
  app.post(
    '/auth/refresh',
    {
      config: { access: 'open', rateLimit: perMinute(300) },
      schema: {
        operationId: 'refreshTokens',
        summary: 'Exchange a refresh token for a new pair',
        description:
          'Each refresh token is good for one exchange. Repeating that exchange within 30 seconds gives the same ' +
          'refresh token again; presenting a used one later ends the session.',
        tags: ['auth'],
        security: [],
        body: Type.Object({ refresh_token: Token }, { additionalProperties: false }),
        response: { 200: Type.Ref('IssuedTokens'), ...problems(400, 401, 403, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const presented = { refreshToken: request.body.refresh_token, address: addressOf(request) }
      return reply.header('cache-control', 'no-store').send(await refreshTokens(pie, presented))
    },
  )
}
