import { Type } from 'typebox'
import { checkCsrfToken } from '../../../../features/sessions/csrf-token.ts'
import { endSession } from '../../../../features/sessions/end-session.ts'
import { endPresentedSession } from '../../../../features/tokens/end-presented-session.ts'
import { bearerToken, showsBearer } from '../../../request/actor.ts'
import { addressOf } from '../../../request/device.ts'
import { clearSessionCookie, readSessionCookie } from '../../../request/session-cookie.ts'
import type { App } from '../../app.ts'
import { FORM_TYPE, isOfType } from '../../body-types.ts'
import type { Pie } from '../../pie.ts'
import { perMinute } from '../../rate-limit.ts'
import { csrfTokenOf } from '../../request-actor.ts'
import { readReturnTo } from '../../return-to.ts'
import { problems, Token } from '../../shapes.ts'

export function logoutRoute(app: App, pie: Pie): void {
  app.post(
    '/auth/logout',
    {
      // Open, because a session that has ended, or a refresh token alone, must be able to sign out.
      config: { access: 'open', form: true, rateLimit: perMinute(120) },
      schema: {
        operationId: 'logout',
        summary: 'End the session of a cookie or of a token',
        description:
          'Takes the cookie with a CSRF token, the access token as Authorization: Bearer, or the refresh token in the ' +
          'body. Idempotent. A form is sent on to its `return_to`.',
        tags: ['auth'],
        body: Type.Optional(
          Type.Union([
            Type.Object(
              { refresh_token: Type.Optional(Token), return_to: Type.Optional(Type.String()) },
              { additionalProperties: false },
            ),
            Type.Null(),
          ]),
        ),
        response: {
          204: Type.Null(),
          303: Type.Null(),
          ...problems(400, 401, 403, 413, 415, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const address = addressOf(request)
      const refreshToken = request.body?.refresh_token ?? null
      const cookie =
        showsBearer(request) || refreshToken !== null ? null : readSessionCookie(pie, request)
      if (cookie !== null) {
        await checkCsrfToken(pie, cookie.sessionId, csrfTokenOf(request))
        await endSession(pie, { sessionId: cookie.sessionId, address })
        clearSessionCookie(pie, reply)
      } else {
        reply.header('cache-control', 'no-store')
        await endPresentedSession(pie, { accessToken: bearerToken(request), refreshToken, address })
      }
      if (!isOfType(request.raw.headers['content-type'], FORM_TYPE))
        return reply.code(204).send(null)
      const to = readReturnTo(pie.policy, request.body?.return_to)
      return reply.code(303).header('location', to).send()
    },
  )
}
