import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from './create-cluster.ts'

/** How much of the log there is at most, but for what is written in the second before somebody looks. */
const MOST_BYTES = 64 * 1024 * 1024
const MOST_FILES = 20
const LOOK_MS = 1_000

export interface PostgresLog {
  /** What Postgres is told of it. */
  settings: Record<string, string>
  /** For what it says before it writes there by itself. */
  output: number
  closeOutput(): void
  /** Why it has not started. */
  readLastLines(): Promise<string>
  close(): void
}

/**
 * The log of an embedded Postgres, in `log` beside its data: files of 8 MB, each start in one of its own, of which the oldest are
 * removed. A process of Postgres' own writes them, so that none of it is lost when Pie is killed.
 */
export async function openPostgresLog({ directory, unprivileged }: Cluster): Promise<PostgresLog> {
  const logDirectory = join(directory, 'log')
  await mkdir(logDirectory, { recursive: true, mode: 0o700 })
  // Of a version before, which emptied it at each start: the oldest of all.
  const before = join(directory, 'postgres.log')
  if (existsSync(before)) await rename(before, join(logDirectory, nameAt(new Date(0))))
  await unprivileged.own(logDirectory)
  await removeOldest(logDirectory)
  const filesBefore = await listFiles(logDirectory)
  const looking = setInterval(() => void removeOldest(logDirectory).catch(() => {}), LOOK_MS)
  looking.unref()

  const startFile = join(directory, 'start.log')
  const output = openSync(startFile, 'w', 0o600)
  return {
    settings: settingsOf(logDirectory),
    output,
    closeOutput: () => closeSync(output),
    readLastLines: () => readLastLines(startFile, logDirectory, filesBefore),
    close: () => clearInterval(looking),
  }
}

const settingsOf = (logDirectory: string): Record<string, string> => ({
  logging_collector: 'on',
  log_directory: logDirectory,
  // In an order that is that of their names.
  log_timezone: 'UTC',
  log_filename: 'postgres-%Y%m%d-%H%M%S.log',
  log_file_mode: '0600',
  log_rotation_size: '8MB',
  log_rotation_age: '0',
  // A refused token, of which anybody may send as many as they like, is one line: neither the statement nor where it was raised.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
})

const nameAt = (time: Date) =>
  `postgres-${time.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}.log`

interface LogFile {
  file: string
  bytes: number
}

/** The newest first. By when they were written, because a clock that is set back would name the newest as an old one. */
async function listFiles(directory: string): Promise<LogFile[]> {
  const names = (await readdir(directory)).filter((name) => /^postgres-[\d-]+\.log$/.test(name))
  const files = await Promise.all(
    names.map(async (name) => {
      const file = join(directory, name)
      // Null for one that has just been removed.
      const found = await stat(file).catch(() => null)
      return found === null ? [] : [{ file, bytes: found.size, mtimeMs: found.mtimeMs }]
    }),
  )
  return files
    .flat()
    .sort((one, other) => other.mtimeMs - one.mtimeMs || (one.file < other.file ? 1 : -1))
}

/** All but the newest, which is being written, until what is left is little enough. */
async function removeOldest(directory: string): Promise<void> {
  let sum = 0
  for (const [index, { file, bytes }] of (await listFiles(directory)).entries()) {
    sum += bytes
    if (index > 0 && (sum > MOST_BYTES || index >= MOST_FILES)) await rm(file, { force: true })
  }
}

/** What it has said itself comes through another process, which may still be writing; and a start within the same second has the same file. */
async function readLastLines(
  startFile: string,
  directory: string,
  before: readonly LogFile[],
): Promise<string> {
  const started = await readFile(startFile, 'utf8')
  if (!started.includes('redirecting log output')) return lastOf(started)
  for (let waitedMs = 0; ; waitedMs += 20) {
    let said = ''
    for (const { file } of await listFiles(directory)) {
      const read = before.find((one) => one.file === file)?.bytes ?? 0
      said = (await readFile(file)).subarray(read).toString() + said
    }
    if (/ (FATAL|PANIC): /.test(said) || waitedMs >= 1_000) return lastOf(said || started)
    await sleep(20)
  }
}

const lastOf = (text: string) => text.trim().split('\n').slice(-3).join(' · ')
