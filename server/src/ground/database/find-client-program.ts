import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { OperatorError } from '../errors.ts'
import { runProgram } from '../run-program.ts'

export interface ClientProgram {
  path: string
  /** The major version of PostgreSQL that it is of. */
  major: number
}

/** Where Debian keeps one version beside the other. */
const DEBIAN = '/usr/lib/postgresql'

/**
 * Finds a program of PostgreSQL's on this machine, of the version that is needed or, failing that, the
 * next higher one: an older one does not know the server, and what a newer one writes needs a newer one.
 *
 * @param path directories to look in, as the variable PATH lists them
 * @throws OperatorError when there is none
 */
export async function findClientProgram(
  name: 'pg_dump' | 'pg_restore',
  least: number,
  path: string,
): Promise<ClientProgram> {
  const beside = existsSync(DEBIAN) ? readdirSync(DEBIAN).map((it) => join(DEBIAN, it, 'bin')) : []
  const found: ClientProgram[] = []
  for (const directory of [...beside, ...path.split(delimiter).filter((it) => it !== '')]) {
    const program = join(directory, name)
    const major = existsSync(program) ? await readMajor(program, path) : null
    if (major !== null) found.push({ path: program, major })
  }
  const [best] = found.filter(({ major }) => major >= least).sort((a, b) => a.major - b.major)
  if (best !== undefined) return best
  const majors = [...new Set(found.map(({ major }) => major))].join(' and ')
  throw new OperatorError(
    `This needs ${name} of PostgreSQL ${least} or later, and there is ${found.length === 0 ? 'none' : `only that of ${majors}`} here. ` +
      `Install it (on Debian: apt-get install postgresql-client-${least}; on macOS: brew install libpq) and see that it is on the PATH. ` +
      "A provider's own backups are as good: docs/guides/backup.md.",
  )
}

async function readMajor(program: string, path: string): Promise<number | null> {
  try {
    const { stdout } = await runProgram(program, ['--version'], { env: { PATH: path } })
    const [, major] = /\(PostgreSQL\) (\d+)/.exec(stdout) ?? []
    return major === undefined ? null : Number(major)
  } catch {
    return null
  }
}
