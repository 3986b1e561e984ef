import { spawn } from 'node:child_process'

export interface ChildProcess {
  pid: number
  /** Rejects when the process ends without having been stopped, with what it said. */
  failed: Promise<never>
  stop(): Promise<void>
}

/** A server that takes longer than this to stop is hung. Pie gives itself 25 s. */
const STOP_WITHIN_MS = 30_000

interface Surroundings {
  directory: string
  environment: Record<string, string>
}

/** Runs a program with this Node, in a directory of its own, so that no .env is read. */
export const startNode = (args: string[], surroundings: Surroundings): ChildProcess =>
  startProgram(process.execPath, args, surroundings)

export function startProgram(
  program: string,
  args: string[],
  { directory, environment }: Surroundings,
): ChildProcess {
  const child = spawn(program, args, {
    cwd: directory,
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_000)
  })
  let isStopping = false
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const failed = exited.then(() => {
    if (isStopping) return new Promise<never>(() => {})
    throw new Error(
      `${program} ${args.join(' ')} has ended by itself (${child.exitCode}):\n${said}`,
    )
  })
  // Whoever waits for something of this process races it; it may end with nobody waiting.
  failed.catch(() => {})
  return {
    pid: child.pid ?? 0,
    failed,
    stop: async () => {
      isStopping = true
      child.kill('SIGTERM')
      const giveUp = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
      await exited
      clearTimeout(giveUp)
    },
  }
}
