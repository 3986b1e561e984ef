import { quantile } from '../quantile.ts'
import { readCpuSecondsOfAll, readProcessUsage } from '../servers/process-usage.ts'
import { type Load, runLoad } from './run-load.ts'

/** A server, and the Postgres that it asks, where what that takes is to be known. */
export interface MeasuredServer {
  address: string
  pid: number
  postmasterPid?: number | null
}

export interface ServerMeasurement {
  requestsPerSecond: number
  p50Ms: number
  p99Ms: number
  /** What the server's own process took for each answer, without Postgres. NaN where it is not known. */
  cpuMicroseconds: number
  /** What Postgres took for each answer, in all of its processes. NaN where it is not known. */
  postgresCpuMicroseconds: number
}

export async function measureServer(
  server: MeasuredServer,
  load: Omit<Load, 'address'>,
): Promise<ServerMeasurement> {
  const before = readCpuSeconds(server)
  const { requestsPerSecond, latenciesMs } = await runLoad({ ...load, address: server.address })
  const after = readCpuSeconds(server)
  const ofEach = (seconds: number) => (seconds * 1_000_000) / latenciesMs.length
  return {
    requestsPerSecond,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    cpuMicroseconds: ofEach(after.server - before.server),
    postgresCpuMicroseconds: ofEach(after.postgres - before.postgres),
  }
}

function readCpuSeconds({ pid, postmasterPid }: MeasuredServer) {
  const postgres = postmasterPid == null ? null : readCpuSecondsOfAll(postmasterPid)
  return {
    server: readProcessUsage(pid)?.cpuSeconds ?? Number.NaN,
    postgres: postgres ?? Number.NaN,
  }
}
