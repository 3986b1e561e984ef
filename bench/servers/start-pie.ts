import { fileURLToPath } from 'node:url'
import { type ChildProcess, startNode } from './child-process.ts'
import { untilFirstAnswer } from './first-answer.ts'
import { findFreePort } from './free-port.ts'

const program = fileURLToPath(new URL('../../server/bin/pie.js', import.meta.url))

export interface PieToStart {
  /** DATA_DIR: empty for a first start. */
  directory: string
  secretKey: string
  /** Settings besides those that every Pie here needs. */
  settings?: Record<string, string>
  /** To be called with whatever stops what has been started, as soon as there is something to stop. */
  onStarted(stop: () => Promise<void>): void
}

export interface PieUnderTest extends ChildProcess {
  address: string
  /** The settings it was started with. */
  environment: Record<string, string>
  /** From the start of the process to its first answer. */
  startMs: number
}

/**
 * Starts Pie as its operators do, `pie start`, with an embedded Postgres whose settings are the
 * default, durable ones. Ready is when `/health/ready` answers, which asks Postgres through both of
 * Pie's pools.
 */
export async function startPie(pie: PieToStart): Promise<PieUnderTest> {
  const port = await findFreePort()
  const address = `http://127.0.0.1:${port}`
  const environment = {
    PATH: process.env['PATH'] ?? '',
    DATA_DIR: pie.directory,
    SECRET_KEY: pie.secretKey,
    SERVICE_DOMAIN: address,
    SOCKET: `127.0.0.1:${port}`,
    // All requests here come from one network.
    RATE_LIMIT_SCALE: '1000000',
    // As in production: requests are counted, and logged, if to nowhere.
    METRICS_TOKEN: 'n6Xq2vKw9Lr4Tz7Nc8Yp3Ms5Dh1Gf0Jb',
    // Compiled code is kept with the data: a first start has none, as on a new machine.
    NODE_COMPILE_CACHE: `${pie.directory}/compile-cache`,
    ...pie.settings,
  }
  const beganMs = performance.now()
  const child = startNode([program, 'start'], { directory: pie.directory, environment })
  pie.onStarted(child.stop)
  await Promise.race([untilFirstAnswer(address, '/health/ready'), child.failed])
  return { ...child, address, environment, startMs: performance.now() - beganMs }
}
