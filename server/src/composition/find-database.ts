/** Where the database is, as the configuration says, and the roles that connect to it. */
import { join, resolve } from 'node:path'
import type pg from 'pg'
import type { Secret } from '../ground/crypto/secret.ts'
import { atOtherAddress } from '../ground/database/login-address.ts'
import { prepareLoginRole } from '../ground/database/prepare-database.ts'
import { startEmbeddedPostgres } from '../ground/embedded-postgres/start-embedded-postgres.ts'
import type { Config } from '../settings/read-config.ts'
import type { Keys } from './read-keys.ts'

export interface FoundDatabase {
  /** Connects as the owner. */
  url: Secret
  /** The same past a pooler. */
  directUrl: Secret
  /** Where it is, in words for the operator. */
  place: string
  /** Resolves when an embedded Postgres has ended by itself. */
  ended: Promise<void>
  close(): Promise<void>
}

/** The database of DATABASE_URL, or an embedded one in DATA_DIR, which is started if need be. */
export async function findDatabase(
  config: Config,
  kind: 'server' | 'command',
): Promise<FoundDatabase> {
  if (config.DATABASE_URL !== null) {
    const { host, pathname } = new URL(config.DATABASE_URL.revealText())
    return {
      url: config.DATABASE_URL,
      directUrl: config.DIRECT_DATABASE_URL ?? config.DATABASE_URL,
      place: `database ${pathname.slice(1)} on ${host} (DATABASE_URL)`,
      ended: new Promise(() => {}),
      close: async () => {},
    }
  }
  const directory = join(resolve(config.DATA_DIR), 'postgres')
  const { url, ended, stop } = await startEmbeddedPostgres({ directory, holder: { kind } })
  return {
    url,
    directUrl: url,
    place: `${resolve(config.DATA_DIR)} (embedded Postgres)`,
    ended,
    close: stop,
  }
}

/** Where pie_auth listens for changes: past a pooler, which passes no notices on. */
export function findListenUrls(
  config: Config,
  database: FoundDatabase,
  auth: readonly Secret[],
): readonly Secret[] {
  if (config.DIRECT_DATABASE_URL === null) return auth
  return auth.map((url) => atOtherAddress(url, database.url, database.directUrl))
}

export interface RoleUrls {
  auth: readonly [Secret, ...Secret[]]
  requests: readonly [Secret, ...Secret[]]
}

/**
 * Where the two login roles connect: as configured, or the owner's address with derived passwords, the
 * one that fits first.
 */
export async function findRoleUrls(
  owner: pg.Client,
  config: Config,
  { url, directUrl }: Pick<FoundDatabase, 'url' | 'directUrl'>,
  keys: Keys,
): Promise<RoleUrls> {
  const urlsOf = async (configured: Secret | null, role: 'pie_auth' | 'cream') =>
    configured === null
      ? prepareLoginRole(owner, url, role, keys, directUrl)
      : ([configured] as const)
  return {
    auth: await urlsOf(config.AUTH_DATABASE_URL, 'pie_auth'),
    requests: await urlsOf(config.REQUEST_DATABASE_URL, 'cream'),
  }
}
