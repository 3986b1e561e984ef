import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a running Postgres says of itself in `postmaster.pid` (PostgreSQL, `miscadmin.h`). */
export interface Postmaster {
  pid: number
  port: number
  isReady: boolean
}

/** The server whose lock file stands in a data directory, if its process is alive. */
export function findPostmaster(dataDirectory: string): Postmaster | null {
  let lines: string[]
  try {
    lines = readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return null
  }
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return null
  return { pid, port: Number(lines[3] ?? 0), isReady: lines[7]?.trim() === 'ready' }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Stops a server: at first as its manual calls "fast" (SIGINT: open transactions are rolled back), and
 * if it takes longer than ten seconds, "immediate" (SIGQUIT: it recovers at its next start).
 */
export async function stopPostmaster(pid: number): Promise<void> {
  signal(pid, 'SIGINT')
  if (await hasExited(pid, 10_000)) return
  signal(pid, 'SIGQUIT')
  await hasExited(pid, 5_000)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has exited by itself.
  }
}

async function hasExited(pid: number, withinMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < withinMs; waitedMs += 20) {
    if (!isAlive(pid)) return true
    await sleep(20)
  }
  return false
}
