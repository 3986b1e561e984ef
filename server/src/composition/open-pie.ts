/** Puts Pie together: configuration → ground → what features keep in this process. */
import type pg from 'pg'
import { graphqlPackages } from '../edge/graphql/graphql-packages.ts'
import type { Pie } from '../edge/http/pie.ts'
import { openKeyRing } from '../features/keys/key-ring.ts'
import { createAccessTokenVerifier } from '../features/tokens/verify-access-token.ts'
import { valkeyClient } from '../ground/cache/shared-cache.ts'
import { type Clock, systemClock } from '../ground/clock.ts'
import { createPasswordHasher } from '../ground/crypto/password-hasher.ts'
import { migrate, readApplicationMigrations } from '../ground/database/migrate.ts'
import { asOwner, prepareDatabase } from '../ground/database/prepare-database.ts'
import { withAdvisoryLock } from '../ground/database/with-advisory-lock.ts'
import type { Ground } from '../ground/ground.ts'
import { checkInstalled } from '../ground/load-optional.ts'
import type { Log } from '../ground/log.ts'
import type { Config } from '../settings/read-config.ts'
import { createClosing } from './closing.ts'
import { type FoundDatabase, findDatabase, findListenUrls, findRoleUrls } from './find-database.ts'
import { openCaches } from './open-caches.ts'
import { openConnections } from './open-connections.ts'
import { readGraphqlSettings } from './read-graphql-settings.ts'
import { type Keys, readKeys } from './read-keys.ts'
import { readPolicy } from './read-policy.ts'

export interface OpenPie {
  pie: Pie
  /** Where the data is, in words for the operator: never with a password. */
  dataPlace: string
  hasUsers: boolean
  /** Resolves with the reason when Pie can go on no longer. */
  failed: Promise<string>
  /** Stops what was started. */
  close(): Promise<void>
}

/**
 * Makes the database ready, connects, and begins to listen for changes.
 * @param clock replaced only by tests
 * @param migrations the directory of an application's own, which run after Pie's
 * @throws OperatorError when something that it needs is missing, wrong or unsafe
 */
export async function openPie(
  config: Config,
  log: Log,
  clock: Clock = systemClock,
  migrations: URL | null = null,
): Promise<OpenPie> {
  const closing = createClosing()
  try {
    checkParts(config)
    const hasher = createPasswordHasher()
    closing.add(() => hasher.close())
    const keys = await readKeys(config)
    const database = await findDatabase(config, 'server')
    closing.add(database.close)
    const { ran, urls, hasUsers } = await prepare(config, database, keys, migrations)
    if (ran.length > 0) log.info({ migrations: ran }, 'migrated the database')

    const connections = await openConnections(urls, config.DATABASE_CONNECTIONS, log, closing)
    const listenUrls = findListenUrls(config, database, urls.auth)
    const { trust, listener, shared, sessionCache } = await openCaches(
      { keys, clock, log },
      config,
      listenUrls,
      closing,
    )
    const policy = readPolicy(config)
    const ground: Ground = { ...connections, trust, keys, hasher, policy, clock, log }
    const keyRing = await openKeyRing(ground)
    closing.add(() => keyRing.close())
    const verifyAccessToken = createAccessTokenVerifier({ ...ground, keyRing })
    const graphql = await readGraphqlSettings(config, ground.requests, log)
    const { catchUp } = listener
    const kept = { keyRing, verifyAccessToken, sessionCache, shared }
    await listener.started

    return {
      pie: { ...ground, ...kept, graphql, catchUp },
      dataPlace: database.place,
      hasUsers,
      failed: database.ended.then(
        () => 'The embedded Postgres has ended. Its log is postgres.log in DATA_DIR.',
      ),
      close: closing.close,
    }
  } catch (error) {
    await closing.close().catch((cause) => log.error({ err: cause }, 'could not stop cleanly'))
    throw error
  }
}

/** What the operator has asked for has to be there, which is said before anything is done. */
function checkParts(config: Config): void {
  if (config.CACHE_URL !== null) checkInstalled(valkeyClient)
  if (config.GRAPHQL_SCHEMAS.length > 0) checkInstalled(graphqlPackages)
}

/** What the owner does at a start, one node after the other: migrations, and the login roles' passwords. */
async function prepare(
  config: Config,
  database: FoundDatabase,
  keys: Keys,
  migrations: URL | null,
) {
  return asOwner(database.directUrl, (owner) =>
    withAdvisoryLock(owner, async () => {
      const ran = await prepareDatabase(owner)
      if (migrations !== null)
        ran.push(...(await migrate(owner, await readApplicationMigrations(migrations))))
      const urls = await findRoleUrls(owner, config, database, keys)
      return { ran, urls, hasUsers: await hasAnyUser(owner) }
    }),
  )
}

async function hasAnyUser(owner: pg.Client): Promise<boolean> {
  const { rows } = await owner.query<{ has_any: boolean }>(
    'select exists (select from pie_schema.users) as has_any',
  )
  return rows[0]?.has_any === true
}
