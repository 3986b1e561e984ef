import type { Pie } from '../edge/http/pie.ts'
import { type Metrics, metricsPackages } from '../edge/metrics/metrics.ts'
import { loadOptional } from '../ground/load-optional.ts'
import { ownPackage } from '../ground/own-package.ts'
import type { Config } from '../settings/read-config.ts'
import type { Closing } from './closing.ts'

type Asked = Pick<Config, 'METRICS_TOKEN' | 'METRICS_SOCKET'>

/** Whether anybody may read metrics, and so whether anything is counted for them. */
export const areMetricsAsked = ({ METRICS_TOKEN, METRICS_SOCKET }: Asked): boolean =>
  METRICS_TOKEN !== null || METRICS_SOCKET !== null

/** Begins to count; null where nobody may read it. */
export async function startMetrics(
  config: Asked,
  pie: Pie,
  closing: Closing,
): Promise<Metrics | null> {
  if (!areMetricsAsked(config)) return null
  const { openMetrics } = await loadOptional(
    metricsPackages,
    () => import('../edge/metrics/open-metrics.ts'),
  )
  const { version } = ownPackage
  const { metrics, close } = openMetrics(pie, { token: config.METRICS_TOKEN, version })
  closing.add(close)
  return metrics
}
