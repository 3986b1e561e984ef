import { Type } from 'typebox'
import type { App } from '../../app.ts'
import type { Pie } from '../../pie.ts'
import { problems } from '../../shapes.ts'

/** What `pie cache status` asks a running node. */
export function cacheStatusRoute(app: App, pie: Pie): void {
  app.get(
    '/health/cache',
    {
      config: { access: 'operator', isUnlimitedBecause: 'only who holds SECRET_KEY gets here' },
      schema: {
        operationId: 'getCacheStatus',
        summary: 'What this node believes of what it has cached, and why',
        description: 'For the holder of SECRET_KEY: pie cache status.',
        tags: ['operations'],
        response: {
          200: Type.Object({
            hears: Type.Boolean(),
            silent_for_ms: Type.Union([Type.Integer(), Type.Null()]),
            trust_ms: Type.Integer(),
            horizon: Type.Union([Type.String(), Type.Null()]),
            floors: Type.Integer(),
            shared: Type.String(),
            entries: Type.Integer(),
            hits: Type.Integer(),
            shared_hits: Type.Integer(),
            reads: Type.Integer(),
          }),
          ...problems(401),
        },
      },
    },
    async (_request, reply) => {
      const { hears, silentForMs, trustMs, horizon, floors } = pie.trust.status()
      const { entries, hits, sharedHits, reads } = pie.sessionCache.status()
      return reply.header('cache-control', 'no-store').send({
        hears,
        silent_for_ms: silentForMs,
        trust_ms: trustMs,
        horizon,
        floors,
        shared: pie.shared?.status().state ?? 'none',
        entries,
        hits,
        shared_hits: sharedHits,
        reads,
      })
    },
  )
}
