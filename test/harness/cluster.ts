/** The Postgres that all tests share: started once, with a migrated database that each test file clones. */
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { deriveKeys } from '../../server/src/ground/crypto/derive-keys.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { prepareLoginRole } from '../../server/src/ground/database/login-roles.ts'
import { asOwner, prepareDatabase } from '../../server/src/ground/database/prepare-database.ts'
import { findPostmaster } from '../../server/src/ground/embedded-postgres/postmaster.ts'
import { startEmbeddedPostgres } from '../../server/src/ground/embedded-postgres/start-embedded-postgres.ts'

/** The SECRET_KEY of every Pie under test: the login roles, and so their passwords, are the server's. */
export const testSecretKey = 'Bq8wJ2rXv5nYt7cLd0fGh3kMz6pSa9uE-tests'

/** The address of the cluster's owner, for the processes that test files run in. */
const variable = 'PIE_TEST_CLUSTER'

/** Starts the cluster. Set PIE_TEST_DATABASE_URL to test on a server of yours instead. */
export async function startCluster(): Promise<() => Promise<void>> {
  const given = process.env['PIE_TEST_DATABASE_URL']
  const directory = await mkdtemp(join(tmpdir(), 'pie-test-'))
  const embedded =
    given === undefined
      ? await startEmbeddedPostgres({
          directory,
          holder: { kind: 'server' },
          // Nothing here has to outlive a crash.
          settings: {
            fsync: 'off',
            synchronous_commit: 'off',
            full_page_writes: 'off',
            max_connections: '300',
          },
        })
      : null
  // A run that is interrupted leaves nothing behind either.
  const abandon = () => {
    const postmaster = findPostmaster(join(directory, 'data'))
    if (postmaster !== null) process.kill(postmaster.pid, 'SIGQUIT')
    rmSync(directory, { recursive: true, force: true })
  }
  process.once('exit', abandon)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const url = embedded?.url ?? Secret.fromText(given ?? '')
  await asOwner(url, async (owner) => {
    await prepareDatabase(owner)
    const keys = deriveKeys([Secret.fromText(testSecretKey)])
    await prepareLoginRole(owner, url, 'pie_auth', keys)
    await prepareLoginRole(owner, url, 'cream', keys)
  })
  process.env[variable] = url.revealText()
  return async () => {
    process.off('exit', abandon)
    await embedded?.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

export interface TestDatabase {
  /** Connects as the owner. */
  url: string
  drop(): Promise<void>
}

/** A database of a test's own, cloned from the migrated one. */
export async function cloneDatabase(): Promise<TestDatabase> {
  const template = new URL(process.env[variable] ?? '')
  const name = `test_${process.pid}_${Math.random().toString(36).slice(2)}`
  const admin = new URL(template)
  admin.pathname = '/postgres'
  const clone = new URL(template)
  clone.pathname = `/${name}`
  await administer(admin, `create database ${name} template ${template.pathname.slice(1)}`)
  // What is granted on a database itself is not copied with it.
  await administer(admin, `revoke temporary on database ${name} from public`)
  return { url: clone.href, drop: () => administer(admin, `drop database ${name} with (force)`) }
}

/** An empty database of a test's own, as a server has it before the first Pie. */
export async function createEmptyDatabase(owner?: string): Promise<TestDatabase> {
  const admin = new URL(process.env[variable] ?? '')
  const name = `empty_${process.pid}_${Math.random().toString(36).slice(2)}`
  const empty = new URL(admin)
  empty.pathname = `/${name}`
  admin.pathname = '/postgres'
  await administer(admin, `create database ${name} ${owner === undefined ? '' : `owner ${owner}`}`)
  return { url: empty.href, drop: () => administer(admin, `drop database ${name} with (force)`) }
}

async function administer(url: URL, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
