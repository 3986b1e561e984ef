import { Type } from 'typebox'
import { changeMe } from '../../../../features/accounts/change-me.ts'
import { getMe } from '../../../../features/accounts/get-me.ts'
import { forbidSharedCaches } from '../../../request/session-cookie.ts'
import type { App } from '../../app.ts'
import type { Pie } from '../../pie.ts'
import { perMinute } from '../../rate-limit.ts'
import { credentialOf } from '../../request-actor.ts'
import { Name, problems } from '../../shapes.ts'

export function usersMeRoutes(app: App, pie: Pie): void {
  app.get(
    '/users/me',
    {
      config: { sessionLimit: perMinute(1200) },
      schema: {
        operationId: 'getMe',
        summary: 'Who am I',
        tags: ['users'],
        response: { 200: Type.Ref('User'), ...problems(401, 429, 503) },
      },
    },
    async (request, reply) => {
      const user = await getMe(pie, credentialOf(pie, request))
      forbidSharedCaches(reply)
      return reply.send(user)
    },
  )

  app.patch(
    '/users/me',
    {
      config: { sessionLimit: perMinute(120) },
      schema: {
        operationId: 'changeMe',
        summary: 'Change my name',
        tags: ['users'],
        body: Type.Object({ name: Name }, { additionalProperties: false }),
        response: { 200: Type.Ref('User'), ...problems(400, 401, 403, 413, 415, 429, 503) },
      },
    },
    async (request, reply) => {
      const user = await changeMe(pie, credentialOf(pie, request), request.body)
      forbidSharedCaches(reply)
      return reply.send(user)
    },
  )
}
