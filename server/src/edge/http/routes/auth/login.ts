import { Type } from 'typebox'
import { signInWithPassword } from '../../../../features/sign-in/sign-in-with-password.ts'
import { deviceOf } from '../../../request/device.ts'
import type { App } from '../../app.ts'
import type { Pie } from '../../pie.ts'
import { perMinute } from '../../rate-limit.ts'
import { endReplacedSession, sendSession } from '../../send-session.ts'
import { Email, Password, problems, SessionAnswer, Transport } from '../../shapes.ts'

export function loginRoute(app: App, pie: Pie): void {
  app.post(
    '/auth/login',
    {
      config: { access: 'open', rateLimit: perMinute(60) },
      schema: {
        operationId: 'login',
        summary: 'Sign in with e-mail and password',
        tags: ['auth'],
        security: [],
        body: Type.Object(
          { email: Email, password: Password, transport: Transport },
          { additionalProperties: false },
        ),
        response: { 200: SessionAnswer, ...problems(400, 401, 403, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const { email, password, transport = 'token' } = request.body
      const kind = transport === 'cookie' ? 'browser' : 'token'
      const session = await signInWithPassword(pie, {
        email,
        password,
        kind,
        device: deviceOf(request),
      })
      await endReplacedSession(pie, request, session)
      return reply.send(sendSession(pie, reply, session))
    },
  )
}
