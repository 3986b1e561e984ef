/** Pie as an operator runs it: a process of its own, from the command line. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { atExit } from './at-exit.ts'

const pieProgram = fileURLToPath(new URL('../../server/bin/pie.js', import.meta.url))

export type Environment = Record<string, string>

export interface Finished {
  code: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  uid?: number
  /** Where `.env` is looked for; else DATA_DIR. */
  cwd?: string
  /** Another version's `pie`. */
  program?: string
  input?: string
}

/** Settings of the machine that runs the tests must not reach the Pie under test; a PATH may be given. */
function environmentOf(settings: Environment): NodeJS.ProcessEnv {
  const { PATH = '', HOME = '/' } = process.env
  return { PATH, HOME, ...settings }
}

/** Runs `pie …` to its end. */
export async function runPie(
  args: string[],
  settings: Environment,
  { uid, input, cwd, program = pieProgram }: RunOptions = {},
): Promise<Finished> {
  const child = spawn(process.execPath, [program, ...args], {
    env: environmentOf(settings),
    cwd: cwd ?? settings['DATA_DIR'] ?? tmpdir(),
    ...(uid !== undefined && { uid }),
  })
  child.stdin.end(input ?? '')
  const code = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await code, stdout, stderr }
}

export interface PieProcess {
  child: ChildProcess
  address: string
  /** What it has printed so far. */
  output(): string
  /** Sends a signal, and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** When it ends, and with what; it does not outlive this process. */
function endOf(child: ChildProcess): Promise<number | null> {
  // It stops its own Postgres before it goes.
  const forget = atExit(() => child.kill('SIGTERM'))
  return new Promise((resolve) =>
    child.once('exit', (code) => {
      forget()
      resolve(code)
    }),
  )
}

/** Starts `pie start`, and returns when it says that it is running. */
export async function startPieProcess(
  settings: Environment,
  { uid, program = pieProgram }: RunOptions = {},
): Promise<PieProcess> {
  const child = spawn(process.execPath, [program, 'start'], {
    env: environmentOf(settings),
    cwd: settings['DATA_DIR'] ?? tmpdir(),
    ...(uid !== undefined && { uid }),
  })
  let output = ''
  const ended = endOf(child)
  const address = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      // The version before says it in words.
      const [, found, before] =
        /"address":"(http:[^"]+)".*"msg":"Pie is running"|address +(http:\S+)[\s\S]*users\/me/.exec(
          output,
        ) ?? []
      const address = found ?? before
      if (address !== undefined) resolve(address)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void ended.then((code) => reject(new Error(`pie start ended with ${code}: ${output}`)))
  })
  return {
    child,
    address,
    output: () => output,
    end: (signal) => {
      child.kill(signal)
      return ended
    },
  }
}

/** The same, as somebody types it in a terminal: `script` makes one. */
export async function startPieInTerminal(
  settings: Environment,
): Promise<{ output(): string; interrupt(): Promise<number | null> }> {
  const command = `exec '${process.execPath}' '${pieProgram}' start`
  const child = spawn(
    'script',
    ['--quiet', '--flush', '--return', '--command', command, '/dev/null'],
    {
      env: environmentOf(settings),
      cwd: settings['DATA_DIR'] ?? tmpdir(),
    },
  )
  let output = ''
  const ended = endOf(child)
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString().replaceAll('\r\n', '\n')
      if (/users\/me\n/.test(output)) resolve()
    })
    void ended.then((code) => reject(new Error(`pie start ended with ${code}: ${output}`)))
  })
  return {
    output: () => output,
    interrupt: () => {
      // Ctrl-C
      child.stdin.write('\x03')
      return ended
    },
  }
}

export interface DataDirectory {
  path: string
  /** The process of its embedded Postgres. */
  postgresPid(): number
  remove(): void
}

/** An empty DATA_DIR, which only its user may enter. */
export function makeDataDirectory(uid?: number): DataDirectory {
  const path = mkdtempSync(join(tmpdir(), 'pie-data-'))
  chmodSync(path, 0o700)
  if (uid !== undefined) chownSync(path, uid, uid)
  return {
    path,
    postgresPid: () => {
      const file = readFileSync(join(path, 'postgres', 'data', 'postmaster.pid'), 'utf8')
      return Number(file.split('\n')[0])
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

/**
 * A port that nothing listens on. Of those that systems give to nobody who has not asked for them: the
 * connections that other tests make meanwhile do not take it.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000)
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer()
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (isFree) return port
  }
}

/** Waits until a process is gone. */
export async function waitForEnd(pid: number): Promise<void> {
  for (let tries = 0; tries < 3_000; tries += 1) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`process ${pid} is still there`)
}
