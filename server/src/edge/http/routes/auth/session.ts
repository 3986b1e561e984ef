import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { CachedSession } from '../../../../features/sessions/cached-session.ts'
import { findSession } from '../../../../features/sessions/find-session.ts'
import { Refusal } from '../../../../ground/errors.ts'
import { forbidSharedCaches } from '../../../request/session-cookie.ts'
import type { App } from '../../app.ts'
import type { Pie } from '../../pie.ts'
import { perMinute } from '../../rate-limit.ts'
import { actorOf } from '../../request-actor.ts'
import { problems } from '../../shapes.ts'

export function sessionRoute(app: App, pie: Pie): void {
  /** What was written of a session in the cache: the same until it is read again. */
  const texts = new WeakMap<CachedSession, string>()
  const answer = (reply: FastifyReply, found: CachedSession | null): FastifyReply => {
    if (found === null || found.isExpired) throw new Refusal('unauthenticated')
    const text = texts.get(found) ?? String(reply.serialize(found))
    texts.set(found, text)
    forbidSharedCaches(reply)
    return reply.type('application/json; charset=utf-8').send(text)
  }
  app.get(
    '/auth/session',
    {
      config: { sessionLimit: perMinute(6000) },
      schema: {
        operationId: 'getSession',
        summary: 'Whose session is this',
        description:
          'Answered from the cache: within milliseconds of any change, and never older than two seconds.',
        tags: ['auth'],
        response: {
          200: Type.Object({ session: Type.Ref('Session'), user: Type.Ref('User') }),
          ...problems(401, 429, 503),
        },
      },
    },
    (request, reply) => {
      const { session, sessionId } = actorOf(request)
      if (session !== null) return void answer(reply, session)
      return findSession(pie, sessionId).then((found) => answer(reply, found))
    },
  )
}
