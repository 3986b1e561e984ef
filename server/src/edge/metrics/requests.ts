import type { Instruments } from './instruments.ts'
import type { RequestCounts } from './request-counts.ts'

export function describeRequests(
  { counter, histogram }: Instruments,
  requests: RequestCounts,
): void {
  histogram({
    name: 'pie_http_request_duration_seconds',
    help: 'How long requests took, by method, pattern of the route ("unknown" for none) and status ("aborted" where the client had gone).',
    read: () =>
      requests.read().answered.map(({ method, route, status, durations }) => ({
        labels: { method, route, status },
        value: durations,
      })),
  })
  counter({
    name: 'pie_http_malformed_requests_total',
    help: 'What came on a connection and was no HTTP, or not all of it in time.',
    read: () => requests.read().malformed,
  })
  counter({
    name: 'pie_throttled_total',
    help: 'Requests refused with 429, by route and limit: "requests" of one network to an open route, or "attempts" with passwords and to register.',
    labelNames: ['limit', 'route'],
    read: () =>
      requests
        .read()
        .throttled.map(({ limit, route, count }) => ({ labels: { limit, route }, value: count })),
  })
}
