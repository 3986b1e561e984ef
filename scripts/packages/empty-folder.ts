/** A folder with nothing in it but what a user would put there, and the Node that runs in it. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

export interface EmptyFolder {
  path: string
  write(name: string, text: string): void
  install(...packages: string[]): Promise<void>
  /** Runs a package that is not to be installed, with `npx`. */
  fetchAndRun(name: string, ...args: string[]): Promise<Finished>
  /** Runs a program that the packages brought, or `node`. @returns what it printed, on either stream */
  run(program: string, args: string[], settings?: Record<string, string>): Promise<Finished>
}

export interface Finished {
  code: number
  output: string
}

const execute = promisify(execFile)

/** A registry that does not answer is asked once more. */
const GIVE_UP_MS = 240_000

/**
 * Makes a folder, or finds the one that is there, for another Node to run in.
 * @param node the program that stands for `node` in it
 */
export function makeEmptyFolder(path: string, node: string): EmptyFolder {
  mkdirSync(path, { recursive: true })
  const manifest = join(path, 'package.json')
  const empty = { name: 'somebodys-application', private: true, type: 'module' }
  if (!existsSync(manifest)) writeFileSync(manifest, JSON.stringify(empty))
  const runIn = async (
    environment: NodeJS.ProcessEnv,
    program: string,
    args: readonly string[],
  ): Promise<Finished> => {
    const own = join(path, 'node_modules', '.bin')
    const { PATH = '' } = process.env
    const search = [dirname(node), own, PATH].join(delimiter)
    const command = existsSync(join(own, program)) ? join(own, program) : program
    try {
      const running = execute(command, args, {
        cwd: path,
        env: { ...environment, PATH: search },
        maxBuffer: 64 * 1024 * 1024,
        timeout: GIVE_UP_MS,
      })
      running.child.stdin?.end()
      const { stdout, stderr } = await running
      return { code: 0, output: `${stdout}${stderr}` }
    } catch (error) {
      const { code = 1, stdout = '', stderr = '' } = error as Record<string, never>
      return { code: Number(code) || 1, output: `${stdout}${stderr}` }
    }
  }
  // What asks the registry does so as this machine is set up to; what is tried has nothing but its settings.
  const asks = (program: string, ...args: string[]) => runIn(process.env, program, args)
  const run: EmptyFolder['run'] = (program, args, settings = {}) =>
    runIn({ HOME: process.env['HOME'], ...settings }, program, args)
  return {
    path,
    run,
    fetchAndRun: (name, ...args) => asks('npx', '--yes', name, ...args),
    write: (name, text) => writeFileSync(join(path, name), text),
    install: async (...packages) => {
      const install = () => asks('npm', 'install', '--no-audit', '--no-fund', ...packages)
      const first = await install()
      const { code, output } = first.code === 0 ? first : await install()
      if (code !== 0) throw new Error(`npm install ${packages.join(' ')} failed:\n${output}`)
    },
  }
}
