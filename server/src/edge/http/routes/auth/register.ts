import { Type } from 'typebox'
import { register } from '../../../../features/sign-in/register.ts'
import { deviceOf } from '../../../request/device.ts'
import type { App } from '../../app.ts'
import type { Pie } from '../../pie.ts'
import { perMinute } from '../../rate-limit.ts'
import { endReplacedSession, sendSession } from '../../send-session.ts'
import { Email, Name, Password, problems, SessionAnswer, Transport } from '../../shapes.ts'

export function registerRoute(app: App, pie: Pie): void {
  app.post(
    '/auth/register',
    {
      config: { access: 'open', rateLimit: perMinute(60) },
      schema: {
        operationId: 'register',
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
      const session = await register(pie, {
        email,
        password,
        name,
        kind,
        device: deviceOf(request),
      })
      await endReplacedSession(pie, request, session)
      return reply.code(201).send(sendSession(pie, reply, session))
    },
  )
}
