import type pg from 'pg'
import type { Secret } from '../crypto/secret.ts'
import { OperatorError } from '../errors.ts'
import { adviseOnTls } from './advise-on-tls.ts'
import { checkServer } from './check-server.ts'
import { connectClient } from './connect-client.ts'
import { createLogin } from './login.ts'
import { migrate, readMigrations } from './migrate.ts'
import { readPoolMode, readProcess } from './pool-mode.ts'

/**
 * Works on a database as its owner, and closes the connection afterwards.
 * @throws OperatorError when the server cannot be reached
 */
export async function asOwner<T>(url: Secret, work: (owner: pg.Client) => Promise<T>): Promise<T> {
  const owner = await connectAsOwner(url)
  try {
    if ((await readPoolMode(owner)) === 'transaction') await checkIsOwnConnection(owner, url)
    return await work(owner)
  } finally {
    await owner.end()
  }
}

async function connectAsOwner(url: Secret): Promise<pg.Client> {
  try {
    return await connectClient(
      createLogin(url, { runs: 'owners' }),
      { connectionTimeoutMillis: 10_000, application_name: 'pie owner' },
      (owner) =>
        void owner.on('notice', ({ severity, message }) => {
          if (severity === 'WARNING') process.stderr.write(`warning: ${message}\n`)
        }),
    )
  } catch (cause) {
    throw new OperatorError(
      `Could not connect to Postgres as the owner: ${(cause as Error).message || cause}. ` +
        `${adviseOnTls(cause) ?? adviseOnRoom(cause) ?? 'Check DATABASE_URL.'}`,
      { cause },
    )
  }
}

/** SQLSTATE class 53, insufficient_resources: the address is right. */
function adviseOnRoom(cause: unknown): string | null {
  const { code } = cause as { code?: unknown }
  if (typeof code !== 'string' || !code.startsWith('53')) return null
  return code === '53300'
    ? 'All connections that Postgres allows are taken. Where a node runs, it ends requests that go on for too long ' +
        '(REQUEST_TIME_LIMIT): try again. Otherwise look at pg_stat_activity as a superuser, for whom some are kept, and end ' +
        'what holds them: select pg_terminate_backend(…).'
    : 'Postgres has no room left, of memory, locks or disk. Where a node runs, it ends a request that holds most of the locks: ' +
        'try again. Otherwise restart Postgres, and see its log.'
}

/**
 * The owner takes turns with others by a lock that belongs to a connection. Two clients of a pooler in
 * transaction mode are given the same one.
 */
async function checkIsOwnConnection(owner: pg.Client, url: Secret): Promise<void> {
  const other = await connectAsOwner(url)
  try {
    if ((await readProcess(owner)) !== (await readProcess(other))) return
  } finally {
    await other.end()
  }
  throw new OperatorError(
    'The owner connects through a connection pooler in transaction mode. Set DIRECT_DATABASE_URL to an address ' +
      'of the same database past the pooler, or of one in session mode. See docs/guides/poolers.md.',
  )
}

/** Checks the server and migrates. To be called in turn. Returns the names of the migrations that ran. */
export async function prepareDatabase(owner: pg.Client): Promise<string[]> {
  await checkServer(owner)
  return migrate(owner, await readMigrations())
}
