import { Type } from 'typebox'
import { findSession } from '../../../features/sessions/find-session.ts'
import { Refusal } from '../../../ground/errors.ts'
import type { App } from '../app.ts'
import { actorOf } from '../guard.ts'
import type { Pie } from '../pie.ts'
import { forbidSharedCaches } from '../session-cookie.ts'
import { problems } from '../shapes.ts'

export function sessionRoute(app: App, pie: Pie): void {
  app.get(
    '/auth/session',
    {
      schema: {
        summary: 'Whose session is this',
        description:
          'Answered from the cache: within milliseconds of any change, and never older than two seconds.',
        tags: ['auth'],
        response: {
          200: Type.Object({ session: Type.Ref('Session'), user: Type.Ref('User') }),
          ...problems(401, 503),
        },
      },
    },
    async (request, reply) => {
      const { session: known, presentedId } = actorOf(request)
      const found = known ?? (await findSession(pie, presentedId))
      if (found === null || found.isExpired) throw new Refusal('unauthenticated')
      forbidSharedCaches(reply)
      return reply.send(found)
    },
  )
}
