import { spawnSync } from 'node:child_process'
import { createClient } from '@redis/client'
import { type ChildProcess, startProgram } from './child-process.ts'
import { findFreePort } from './free-port.ts'

export interface Valkey extends ChildProcess {
  url: string
}

/** Starts a Valkey, or a Redis, that keeps nothing. Null where neither is on the PATH. */
export async function startValkey(valkey: {
  directory: string
  onStarted(stop: () => Promise<void>): void
}): Promise<Valkey | null> {
  const program = ['valkey-server', 'redis-server'].find(isThere)
  if (program === undefined) return null
  const port = await findFreePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const { directory } = valkey
  const environment = { PATH: process.env['PATH'] ?? '' }
  const child = startProgram(program, args, { directory, environment })
  valkey.onStarted(child.stop)
  const url = `redis://127.0.0.1:${port}`
  await Promise.race([untilItAnswers(url), child.failed])
  return { ...child, url }
}

const isThere = (program: string): boolean =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0

async function untilItAnswers(url: string): Promise<void> {
  const client = createClient({ url, socket: { reconnectStrategy: 20 } })
  // It is not there yet.
  client.on('error', () => {})
  await client.connect()
  await client.ping()
  client.destroy()
}
