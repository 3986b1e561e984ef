import { Type } from 'typebox'
import { makeCsrfToken } from '../../../../features/sessions/csrf-token.ts'
import { forbidSharedCaches } from '../../../request/session-cookie.ts'
import type { App } from '../../app.ts'
import type { Pie } from '../../pie.ts'
import { perMinute } from '../../rate-limit.ts'
import { actorOf } from '../../request-actor.ts'
import { problems } from '../../shapes.ts'

export function csrfRoute(app: App, pie: Pie): void {
  app.get(
    '/auth/csrf',
    {
      config: { sessionLimit: perMinute(1200) },
      schema: {
        operationId: 'getCsrfToken',
        summary: 'A CSRF token',
        description:
          'For requests that change something with a cookie: as the header X-CSRF-Token, or as csrf_token in a form. ' +
          'Many are good at once; with CSRF_MODE=request each is good for one request.',
        tags: ['auth'],
        response: { 200: Type.Object({ csrf_token: Type.String() }), ...problems(401, 429, 503) },
      },
    },
    async (request, reply) => {
      const token = makeCsrfToken(pie, actorOf(request).sessionId)
      forbidSharedCaches(reply)
      return reply.send({ csrf_token: token })
    },
  )
}
