import { Type } from 'typebox'
import { endOtherSessions, endOwnSession } from '../../../../features/sessions/end-session.ts'
import { listSessions } from '../../../../features/sessions/list-sessions.ts'
import { clearSessionCookie, forbidSharedCaches } from '../../../request/session-cookie.ts'
import type { App } from '../../app.ts'
import type { Pie } from '../../pie.ts'
import { perMinute } from '../../rate-limit.ts'
import { actorOf, credentialOf } from '../../request-actor.ts'
import { problems } from '../../shapes.ts'

export function sessionsRoutes(app: App, pie: Pie): void {
  app.get(
    '/auth/sessions',
    {
      config: { sessionLimit: perMinute(120) },
      schema: {
        operationId: 'listSessions',
        summary: 'My devices',
        description:
          'What I am signed in with, the last used first: 200 at most, of how many there are in total. ' +
          'DELETE /auth/sessions ends the others, also those that are not listed.',
        tags: ['auth'],
        response: {
          200: Type.Object({
            sessions: Type.Array(Type.Ref('Device')),
            total: Type.Integer({ description: 'How many there are, also of those not listed.' }),
          }),
          ...problems(401, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const listed = await listSessions(pie, credentialOf(pie, request))
      forbidSharedCaches(reply)
      return reply.send(listed)
    },
  )

  app.delete(
    '/auth/sessions/:id',
    {
      config: { sessionLimit: perMinute(120) },
      schema: {
        operationId: 'endSession',
        summary: 'Sign a device out',
        tags: ['auth'],
        // The format by itself takes `urn:uuid:` too, which Postgres does not.
        params: Type.Object({ id: Type.String({ format: 'uuid', maxLength: 36 }) }),
        response: { 204: Type.Null(), ...problems(400, 401, 403, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { sessionId, kind } = actorOf(request)
      const id = request.params.id.toLowerCase()
      const ended = await endOwnSession(pie, credentialOf(pie, request), id)
      forbidSharedCaches(reply)
      const isOwn = ended.includes(sessionId)
      if (kind === 'browser' && isOwn) clearSessionCookie(pie, reply)
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/auth/sessions',
    {
      config: { sessionLimit: perMinute(60) },
      schema: {
        operationId: 'endOtherSessions',
        summary: 'Sign all my other devices out',
        tags: ['auth'],
        response: {
          200: Type.Object({ ended: Type.Integer({ description: 'How many have been ended.' }) }),
          ...problems(401, 403, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const ended = await endOtherSessions(pie, credentialOf(pie, request))
      forbidSharedCaches(reply)
      return reply.send({ ended })
    },
  )
}
