import { Type } from 'typebox'
import type { App } from '../../app.ts'
import type { Pie } from '../../pie.ts'
import { perMinute } from '../../rate-limit.ts'
import { problems } from '../../shapes.ts'

const Health = Type.Object({ status: Type.Literal('ok') })

export function healthRoutes(app: App, pie: Pie): void {
  app.get(
    '/health/live',
    {
      config: { access: 'open', rateLimit: perMinute(600) },
      schema: {
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
      config: { access: 'open', rateLimit: perMinute(600) },
      schema: {
        summary: 'Whether this node can serve: it reaches the database',
        tags: ['operations'],
        security: [],
        response: { 200: Health, ...problems(503) },
      },
    },
    async (_request, reply) => {
      const ping = { name: 'ping', text: 'select 1', values: [] }
      await Promise.all([pie.auth.send(ping), pie.requests.send(ping)])
      return reply.header('cache-control', 'no-store').send({ status: 'ok' })
    },
  )
}
