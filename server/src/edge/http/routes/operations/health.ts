import { Type } from 'typebox'
import { checkOperatorToken } from '../../../../features/operations/operator-token.ts'
import { bearerToken } from '../../../request/actor.ts'
import type { App } from '../../app.ts'
import type { Pie } from '../../pie.ts'
import { perMinute } from '../../rate-limit.ts'
import { problems } from '../../shapes.ts'

const Health = Type.Object({ status: Type.Literal('ok') })

const Ready = Type.Object({
  status: Type.Literal('ok'),
  checked_at: Type.Optional(Type.String({ format: 'date-time' })),
  findings: Type.Optional(
    Type.Array(
      Type.Object({
        check: Type.String(),
        weight: Type.Union([Type.Literal('opens'), Type.Literal('hinders'), Type.Literal('tells')]),
        object: Type.String(),
        what: Type.String(),
        why: Type.String(),
        mend: Type.Union([Type.String(), Type.Null()]),
      }),
    ),
  ),
})

export function healthRoutes(app: App, pie: Pie): void {
  app.get(
    '/health/live',
    {
      config: { access: 'open', rateLimit: perMinute(600), isProbe: true },
      schema: {
        operationId: 'checkLive',
        summary: 'Whether this process answers',
        tags: ['operations'],
        security: [],
        response: { 200: Health },
      },
    },
    async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' }),
  )

  app.get(
    '/health/ready',
    {
      config: { access: 'open', rateLimit: perMinute(600), isProbe: true },
      schema: {
        operationId: 'checkReady',
        summary: 'Whether this node can serve: it reaches the database, where changes can be made',
        description:
          'With ?verbose, for the holder of SECRET_KEY: also what this node found when it last looked at what security stands on in its database, which it does every hour. pie doctor looks now.',
        tags: ['operations'],
        security: [],
        querystring: Type.Object({ verbose: Type.Optional(Type.String()) }),
        response: { 200: Ready, ...problems(401, 503) },
      },
    },
    async (request, reply) => {
      const isVerbose = request.query.verbose !== undefined
      if (isVerbose) checkOperatorToken(pie, bearerToken(request))
      const isPrimary = {
        name: 'check_primary',
        text: 'select pie_private.check_primary()',
        values: [],
      }
      await Promise.all([pie.auth.send(isPrimary), pie.requests.send(isPrimary)])
      void reply.header('cache-control', 'no-store')
      return reply.send({ status: 'ok', ...(isVerbose && describe(pie.health)) })
    },
  )
}

const describe = (health: Pie['health']) => ({
  checked_at: health.checkedAt().toISOString(),
  findings: health.findings().map(({ check, weight, object, what, why, mend }) => ({
    ...{ check, weight, object, what, why, mend },
  })),
})
