import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { rootCertificates } from 'node:tls'
import type pg from 'pg'
import { OperatorError } from '../errors.ts'
import { runProgram } from '../run-program.ts'
import type { ClientProgram } from './find-client-program.ts'

/** What a client of pg's has been told, from the address or otherwise. */
interface Connected {
  host: string
  port: number
  user: string
  database: string
  password: string | null
  ssl: boolean | Tls | undefined
  connectionParameters: { options?: string }
}

interface Tls {
  rejectUnauthorized?: boolean
  checkServerIdentity?: () => void
  ca?: string
  cert?: string
  key?: string
}

/**
 * Runs a program of PostgreSQL's on the database that a client is connected to, by the same login and
 * with the same trust. All of that is in its environment, which no other user of the machine can read.
 *
 * @throws OperatorError with what the program said, when it fails
 */
export async function runClientProgram(
  owner: pg.Client,
  program: ClientProgram,
  args: string[],
): Promise<void> {
  const name = basename(program.path)
  const directory = await mkdtemp(join(tmpdir(), 'pie-client-'))
  try {
    const env = await environmentOf(owner as unknown as Connected, directory)
    await runProgram(program.path, ['--no-password', ...args], { env, maxBuffer: 1 << 26 })
  } catch (cause) {
    const { stderr = '', message } = cause as { stderr?: string; message: string }
    const said = stderr.trim().split('\n').slice(-4).join(' · ')
    throw new OperatorError(`${name} failed: ${said || message}`, { cause })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function environmentOf(
  { host, port, user, database, password, ssl, connectionParameters }: Connected,
  directory: string,
): Promise<Record<string, string>> {
  return {
    // Debian's programs are found by one of its own, which asks for a PATH.
    PATH: '/usr/bin:/bin',
    LC_ALL: 'C',
    PGAPPNAME: 'pie owner',
    PGHOST: host.replace(/^\[(.*)\]$/, '$1'),
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: database,
    ...(password !== null && { PGPASSWORD: password }),
    ...(connectionParameters.options && { PGOPTIONS: connectionParameters.options }),
    ...(await trustOf(ssl, directory)),
  }
}

/** As pg takes it: whatever the mode is called, the certificate and its name are checked. */
async function trustOf(
  ssl: boolean | Tls | undefined,
  directory: string,
): Promise<Record<string, string>> {
  if (ssl === undefined || ssl === false) return { PGSSLMODE: 'prefer' }
  const { rejectUnauthorized, checkServerIdentity, ca, cert, key } = ssl === true ? {} : ssl
  const write = async (name: string, content: string) => {
    const file = join(directory, name)
    await writeFile(file, content, { mode: 0o600 })
    return file
  }
  const mode = checkServerIdentity === undefined ? 'verify-full' : 'verify-ca'
  return {
    PGSSLMODE: rejectUnauthorized === false ? 'require' : mode,
    ...(rejectUnauthorized !== false && {
      PGSSLROOTCERT: await write('ca.pem', ca ?? rootCertificates.join('\n')),
    }),
    ...(cert !== undefined && { PGSSLCERT: await write('certificate.pem', cert) }),
    ...(key !== undefined && { PGSSLKEY: await write('key.pem', key) }),
  }
}
