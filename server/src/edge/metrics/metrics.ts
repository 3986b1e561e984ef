import type { Secret } from '../../ground/crypto/secret.ts'
import type { OptionalPart } from '../../ground/load-optional.ts'
import type { RequestCounts } from './request-counts.ts'

/** What this node counts and measures, for whoever may read it. */
export interface Metrics {
  requests: RequestCounts
  /** What they have to show; null where nothing is asked for. */
  token: Secret | null
  contentType: string
  /** Everything as it is now. Does not fail because Postgres cannot be asked. */
  text(): Promise<string>
}

export const metricsPackages: OptionalPart = {
  what: 'METRICS_TOKEN or METRICS_SOCKET',
  packages: ['prom-client'],
}
