/** Puts Pie together: configuration → ground → what features keep in this process. */
import { graphqlPackages } from '../edge/graphql/graphql-packages.ts'
import type { Pie } from '../edge/http/pie.ts'
import { type Metrics, metricsPackages } from '../edge/metrics/metrics.ts'
import { openKeyRing } from '../features/keys/key-ring.ts'
import { createAccessTokenVerifier } from '../features/tokens/verify-access-token.ts'
import { valkeyClient } from '../ground/cache/shared-cache.ts'
import { type Clock, systemClock } from '../ground/clock.ts'
import { createPasswordHasher } from '../ground/crypto/password-hasher.ts'
import type { ApplicationMigrations } from '../ground/database/application-migrations.ts'
import type { Ground } from '../ground/ground.ts'
import { checkInstalled } from '../ground/load-optional.ts'
import type { Log } from '../ground/log.ts'
import type { Config } from '../settings/read-config.ts'
import { createClosing } from './closing.ts'
import { findDatabase } from './find-database.ts'
import { checkMigrations, joinDatabase } from './join-database.ts'
import { openCaches } from './open-caches.ts'
import { openConnections } from './open-connections.ts'
import { openHealth } from './open-health.ts'
import { prepareAsOwner } from './prepare-as-owner.ts'
import { readGraphqlSettings } from './read-graphql-settings.ts'
import { readKeys } from './read-keys.ts'
import { readPolicy } from './read-policy.ts'
import { startCleanUp } from './start-clean-up.ts'
import { areMetricsAsked, startMetrics } from './start-metrics.ts'
import { watchNodes } from './watch-nodes.ts'
import { watchRequests } from './watch-requests.ts'

export interface OpenPie {
  pie: Pie
  /** Null where nobody may read them. */
  metrics: Metrics | null
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
 * @param migrations an application's own, which run after Pie's
 * @throws OperatorError when something that it needs is missing, wrong or unsafe
 */
export async function openPie(
  config: Config,
  log: Log,
  clock: Clock = systemClock,
  migrations: ApplicationMigrations | null = null,
): Promise<OpenPie> {
  const closing = createClosing()
  try {
    checkParts(config)
    for (const warning of config.warnings) log.warn(warning)
    const hasher = createPasswordHasher()
    closing.add(() => hasher.close())
    const keys = await readKeys(config)
    const database = await findDatabase(config, 'server')
    closing.add(database.close)
    const { ran, urls, listenUrls, hasUsers } =
      database.owner === null
        ? joinDatabase(config, keys)
        : await prepareAsOwner(config, database.owner, keys, migrations)
    if (ran.length > 0) log.info({ migrations: ran }, 'migrated the database')

    const { lineage, ...connections } = await openConnections(
      urls,
      config.DATABASE_CONNECTIONS,
      log,
      closing,
    )
    if (database.owner === null) await checkMigrations(connections.auth, migrations)
    const health = await openHealth({ ...connections, clock, log })
    closing.add(() => health.close())
    const { trust, listener, heard, shared, sessionCache } = await openCaches(
      { keys, clock, log, lineage },
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
    const kept = { keyRing, verifyAccessToken, sessionCache, shared, heard, health }
    await listener.started
    const pie = { ...ground, ...kept, graphql, catchUp }
    const metrics = await startMetrics(config, pie, closing)
    closing.add(await watchNodes(pie))
    closing.add(
      watchRequests(
        { listen: listenUrls, requests: urls.requests },
        config.REQUEST_TIME_LIMIT,
        log,
        lineage,
      ),
    )
    closing.add(startCleanUp(pie, config.AUDIT_RETENTION))

    return {
      pie,
      metrics,
      dataPlace: database.place,
      hasUsers,
      failed: database.ended.then(
        () => 'The embedded Postgres has ended. Its log is in postgres/log of DATA_DIR.',
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
  checkInstalled(
    ...(config.CACHE_URL !== null ? [valkeyClient] : []),
    ...(areMetricsAsked(config) ? [metricsPackages] : []),
    ...(config.GRAPHQL_SCHEMAS.length > 0 ? [graphqlPackages] : []),
  )
}
