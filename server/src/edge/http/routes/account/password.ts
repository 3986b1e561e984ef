import { Type } from 'typebox'
import { changePassword } from '../../../../features/passwords/change-password.ts'
import { deviceOf } from '../../../request/device.ts'
import type { App } from '../../app.ts'
import type { Pie } from '../../pie.ts'
import { perMinute } from '../../rate-limit.ts'
import { actorOf, credentialOf } from '../../request-actor.ts'
import { sendSession } from '../../send-session.ts'
import { Password, problems, SessionAnswer } from '../../shapes.ts'

export function passwordRoute(app: App, pie: Pie): void {
  app.put(
    '/users/me/password',
    {
      config: { sessionLimit: perMinute(60) },
      schema: {
        operationId: 'changePassword',
        summary: 'Change my password',
        description:
          'Ends every session of mine, and answers with a new one in place of this: a cookie, or tokens.',
        tags: ['users'],
        body: Type.Object(
          { current_password: Password, new_password: Password },
          { additionalProperties: false },
        ),
        response: { 200: SessionAnswer, ...problems(400, 401, 403, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const { kind } = actorOf(request)
      const session = await changePassword(pie, credentialOf(pie, request), {
        currentPassword: request.body.current_password,
        newPassword: request.body.new_password,
        kind,
        device: deviceOf(request),
      })
      return reply.send(sendSession(pie, reply, session))
    },
  )
}
