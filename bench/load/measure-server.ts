import { quantile } from '../quantile.ts'
import { readProcessUsage } from '../servers/process-usage.ts'
import { type Load, runLoad } from './run-load.ts'

export interface ServerMeasurement {
  requestsPerSecond: number
  p50Ms: number
  p99Ms: number
  /** What the server's own process took for each answer, without Postgres. NaN where it is not known. */
  cpuMicroseconds: number
}

export async function measureServer(
  server: { address: string; pid: number },
  load: Omit<Load, 'address'>,
): Promise<ServerMeasurement> {
  const before = readProcessUsage(server.pid)
  const { requestsPerSecond, latenciesMs } = await runLoad({ ...load, address: server.address })
  const after = readProcessUsage(server.pid)
  const cpuSeconds =
    before === null || after === null ? Number.NaN : after.cpuSeconds - before.cpuSeconds
  return {
    requestsPerSecond,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    cpuMicroseconds: (cpuSeconds * 1_000_000) / latenciesMs.length,
  }
}
