import { fileURLToPath } from 'node:url'
import { type ChildProcess, startNode } from './child-process.ts'
import { untilFirstAnswer } from './first-answer.ts'
import { findFreePort } from './free-port.ts'

const program = fileURLToPath(new URL('./floor.ts', import.meta.url))

export interface Floor extends ChildProcess {
  address: string
}

/** Starts floor.ts on a database. `onStarted` is called with what stops it. */
export async function startFloor(floor: {
  directory: string
  databaseUrl: string
  /** Where the route connects that awaits each statement. */
  awaitedUrl: string
  /** Of a Valkey, where what is measured needs one. */
  cacheUrl?: string
  onStarted(stop: () => Promise<void>): void
}): Promise<Floor> {
  const port = await findFreePort()
  const child = startNode([program], {
    directory: floor.directory,
    environment: {
      PATH: process.env['PATH'] ?? '',
      FLOOR_PORT: String(port),
      FLOOR_DATABASE_URL: floor.databaseUrl,
      FLOOR_AWAITED_URL: floor.awaitedUrl,
      ...(floor.cacheUrl !== undefined && { FLOOR_CACHE_URL: floor.cacheUrl }),
    },
  })
  floor.onStarted(child.stop)
  const address = `http://127.0.0.1:${port}`
  await Promise.race([untilFirstAnswer(address, '/ready'), child.failed])
  return { ...child, address }
}
