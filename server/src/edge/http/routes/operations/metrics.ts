import type { Metrics } from '../../../metrics/metrics.ts'
import type { App } from '../../app.ts'
import { perMinute } from '../../rate-limit.ts'

/** What Prometheus reads. Where no token is asked for, the address has to be one that nobody else reaches. */
export function metricsRoute(app: App, metrics: Metrics): void {
  app.get(
    '/metrics',
    {
      config:
        metrics.token === null
          ? { access: 'open', rateLimit: perMinute(600), isProbe: true }
          : {
              access: 'metrics',
              isUnlimitedBecause: 'only who shows METRICS_TOKEN gets here',
              isProbe: true,
            },
      schema: {
        operationId: 'getMetrics',
        summary: 'What this node counts and measures, for Prometheus',
        description:
          'For whoever shows METRICS_TOKEN, as Authorization: Bearer. Text, in the format of Prometheus.',
        tags: ['operations'],
        security: metrics.token === null ? [] : [{ bearer: [] }],
      },
    },
    async (_request, reply) =>
      reply
        .header('cache-control', 'no-store')
        .type(metrics.contentType)
        .send(await metrics.text()),
  )
}
