/**
 * Every program that Pie starts is started here. What runs in Pie's own environment would have SECRET_KEY in its own, for as long as
 * it runs, and for whoever may read that: what programs need to run is passed on, and nothing else.
 */
import {
  type ChildProcess,
  execFile,
  type SpawnOptions,
  spawn,
  spawnSync,
} from 'node:child_process'
import { promisify } from 'node:util'

/** Where programs and libraries are, whose they are, and how they write. */
const needed =
  /^(PATH|HOME|TMPDIR|TEMP|TMP|TZ|LANG|LANGUAGE|LC_[A-Z]+|LD_LIBRARY_PATH|DYLD_(FALLBACK_)?LIBRARY_PATH|NIX_LD(_[A-Za-z0-9_]+)?|SystemRoot)$/

function neededEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      needed.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  )
}

interface Options {
  uid?: number
  gid?: number
  cwd?: string
  maxBuffer?: number
  /** Instead of what is passed on. */
  env?: Record<string, string>
}

/** Runs a program to its end. Rejects, with what it said, where that is not 0. */
export const runProgram = (
  command: string,
  args: readonly string[],
  options: Options = {},
): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(command, args, { env: neededEnvironment(), ...options })

/** The same while everything waits. */
export const runProgramNow = (command: string, args: readonly string[]): { isGood: boolean } => ({
  isGood: spawnSync(command, args, { env: neededEnvironment() }).status === 0,
})

/** Starts a program. */
export const startProgram = (
  command: string,
  args: readonly string[],
  options: Omit<SpawnOptions, 'env'>,
): ChildProcess => spawn(command, args, { ...options, env: neededEnvironment() })
