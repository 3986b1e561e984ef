/** Puts Pie together: configuration → ground → what features keep in this process. */
import type pg from 'pg'
import type { Pie } from '../edge/http/pie.ts'
import { openKeyRing } from '../features/keys/key-ring.ts'
import type { CachedSession } from '../features/sessions/cached-session.ts'
import { createAccessTokenVerifier } from '../features/tokens/access-token.ts'
import { createCachedReads } from '../ground/cache/cached-reads.ts'
import { openListener } from '../ground/cache/listener.ts'
import { openSharedCache } from '../ground/cache/shared-cache.ts'
import { createTrust } from '../ground/cache/trust.ts'
import { type Clock, systemClock } from '../ground/clock.ts'
import { createPasswordHasher } from '../ground/crypto/password-hasher.ts'
import { checkRoles } from '../ground/database/check-roles.ts'
import { detectPoolMode } from '../ground/database/detect-pool-mode.ts'
import { migrate, readApplicationMigrations } from '../ground/database/migrate.ts'
import { openDatabase } from '../ground/database/pool.ts'
import { asOwner, prepareDatabase } from '../ground/database/prepare-database.ts'
import { openSharedConnections, readThroughPooler } from '../ground/database/shared-connections.ts'
import { withAdvisoryLock } from '../ground/database/with-advisory-lock.ts'
import type { Ground } from '../ground/ground.ts'
import type { Log } from '../ground/log.ts'
import type { Config } from '../settings/read-config.ts'
import { findDatabase, findListenUrls, findRoleUrls, readKeys } from './find-database.ts'
import { readGraphqlSettings } from './read-graphql-settings.ts'
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
  const closing: (() => Promise<void> | void)[] = []
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step()
  }
  try {
    const keys = await readKeys(config)
    const database = await findDatabase(config, 'server')
    closing.push(database.close)
    const { ran, urls, hasUsers } = await asOwner(database.directUrl, (owner) =>
      withAdvisoryLock(owner, async () => ({
        ran: [
          ...(await prepareDatabase(owner)),
          ...(migrations === null
            ? []
            : await migrate(owner, await readApplicationMigrations(migrations))),
        ],
        urls: await findRoleUrls(owner, config, database, keys),
        hasUsers: await hasAnyUser(owner),
      })),
    )
    if (ran.length > 0) log.info({ migrations: ran }, 'migrated the database')

    const authPoolMode = await detectPoolMode(urls.auth, 'AUTH_DATABASE_URL')
    const auth = openDatabase(urls.auth, log, config.DATABASE_CONNECTIONS, authPoolMode)
    closing.push(() => auth.pool.end())
    const requestPoolMode = await detectPoolMode(urls.requests, 'REQUEST_DATABASE_URL')
    const requests = openDatabase(urls.requests, log, config.DATABASE_CONNECTIONS, requestPoolMode)
    closing.push(() => requests.pool.end())
    await checkRoles(auth, requests)
    const reads =
      requestPoolMode === 'transaction'
        ? readThroughPooler(requests)
        : openSharedConnections(urls.requests, log)
    closing.push(() => reads.close())

    const trust = createTrust(clock)
    const listener = openListener(findListenUrls(config, database, urls.auth), trust, log)
    closing.push(() => listener.close())
    const shared = config.CACHE_URL === null ? null : openSharedCache(config.CACHE_URL, keys, log)
    if (shared !== null) closing.push(() => shared.close())
    const sessionCache = createCachedReads<CachedSession>(trust, shared, config.NEAR_CACHE_SIZE)

    const hasher = createPasswordHasher()
    closing.push(() => hasher.close())
    const policy = readPolicy(config)
    const ground: Ground = { auth, requests, reads, trust, keys, hasher, policy, clock, log }
    const keyRing = await openKeyRing(ground)
    closing.push(() => keyRing.close())
    const verifyAccessToken = createAccessTokenVerifier({ ...ground, keyRing })
    const { catchUp } = listener
    const graphql = await readGraphqlSettings(config, requests, log)
    const kept = { keyRing, verifyAccessToken, sessionCache, shared }
    const pie: Pie = { ...ground, ...kept, graphql, catchUp }
    await listener.started

    return {
      pie,
      dataPlace: database.place,
      hasUsers,
      failed: database.ended.then(
        () => 'The embedded Postgres has ended. Its log is postgres.log in DATA_DIR.',
      ),
      close,
    }
  } catch (error) {
    await close().catch((cause) => log.error({ err: cause }, 'could not stop cleanly'))
    throw error
  }
}

async function hasAnyUser(owner: pg.Client): Promise<boolean> {
  const { rows } = await owner.query<{ has_any: boolean }>(
    'select exists (select from pie_schema.users) as has_any',
  )
  return rows[0]?.has_any === true
}
