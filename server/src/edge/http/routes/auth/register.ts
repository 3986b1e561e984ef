import { Type } from 'typebox'
import { endSession } from '../../../../features/sessions/end-session.ts'
import { register } from '../../../../features/sign-in/register.ts'
import { deviceOf } from '../../../request/device.ts'
import { readSessionCookie } from '../../../request/session-cookie.ts'
import type { App } from '../../app.ts'
import type { Pie } from '../../pie.ts'
import { perMinute } from '../../rate-limit.ts'
import { sendSession } from '../../send-session.ts'
import { Email, Name, Password, problems, SessionAnswer, Transport } from '../../shapes.ts'

export function registerRoute(app: App, pie: Pie): void {
  app.post(
    '/auth/register',
    {
      config: { access: 'open', rateLimit: perMinute(60) },
      schema: {
        summary: 'Make an account and sign in',
        tags: ['auth'],
        security: [],
        body: Type.Object(
          {
            email: Email,
            password: Password,
            name: Type.Optional(Name),
            transport: Transport,
          },
          { additionalProperties: false },
        ),
        response: { 201: SessionAnswer, ...problems(400, 403, 409, 413, 415, 429, 500, 503) },
      },
    },
    async (request, reply) => {
      const { email, password, name = null, transport = 'token' } = request.body
      const kind = transport === 'cookie' ? 'browser' : 'token'
      const device = deviceOf(request)
      const session = await register(pie, { email, password, name, kind, device })
      // The browser's cookie is about to be another's: the session that it named ends.
      const replaced = kind === 'browser' ? readSessionCookie(pie, request) : null
      if (replaced !== null) {
        const { sessionId } = replaced
        await endSession(pie, { sessionId, reason: 'replaced', address: device.address })
      }
      return reply.code(201).send(sendSession(pie, reply, session))
    },
  )
}
