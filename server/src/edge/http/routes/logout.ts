import { Type } from 'typebox'
import { endPresentedSession } from '../../../features/tokens/end-presented-session.ts'
import type { App } from '../app.ts'
import { addressOf } from '../device.ts'
import { bearerToken } from '../guard.ts'
import type { Pie } from '../pie.ts'
import { problems, Token } from '../shapes.ts'

export function logoutRoute(app: App, pie: Pie): void {
  app.post(
    '/auth/logout',
    {
      // Open, because a session that has ended, or a refresh token alone, must be able to sign out.
      config: { access: 'open' },
      schema: {
        summary: 'End the session of a token',
        description:
          'Takes the access token as Authorization: Bearer, or the refresh token in the body. Idempotent.',
        tags: ['auth'],
        body: Type.Optional(
          Type.Union([
            Type.Object({ refresh_token: Type.Optional(Token) }, { additionalProperties: false }),
            Type.Null(),
          ]),
        ),
        response: { 204: Type.Null(), ...problems(400, 401, 413, 415, 503) },
      },
    },
    async (request, reply) => {
      await endPresentedSession(pie, {
        accessToken: bearerToken(request),
        refreshToken: request.body?.refresh_token ?? null,
        address: addressOf(request),
      })
      return reply.code(204).header('cache-control', 'no-store').send(null)
    },
  )
}
