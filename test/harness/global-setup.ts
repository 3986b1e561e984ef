/** Runs once before all test files, and once after (node --test-global-setup). */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startCluster } from './cluster.ts'
import { requireTool } from './require-tool.ts'
import { findValkeyProgram } from './valkey.ts'

let stop: (() => Promise<void>) | undefined

export async function globalSetup(): Promise<void> {
  // Here, because two test files at once would get in each other's way.
  requireTool('curl', 'curl')
  requireTool('chromium', 'chromium')
  requireTool('pgbouncer', 'pgbouncer')
  requireTool('openssl', 'openssl')
  findValkeyProgram()
  // Examples and guides import what is published, which is built of what stands here now.
  execFileSync(process.execPath, [
    fileURLToPath(new URL('../../scripts/build.ts', import.meta.url)),
  ])
  stop = await startCluster()
}

export async function globalTeardown(): Promise<void> {
  await stop?.()
}
