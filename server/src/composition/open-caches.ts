import type { CachedSession, SessionCache } from '../features/sessions/cached-session.ts'
import { createCachedReads } from '../ground/cache/cached-reads.ts'
import { countHeard, type Heard } from '../ground/cache/heard.ts'
import { type Listener, openListener } from '../ground/cache/listener.ts'
import { openSharedCache, type SharedCache } from '../ground/cache/shared-cache.ts'
import { createTrust, type Trust } from '../ground/cache/trust.ts'
import type { Secret } from '../ground/crypto/secret.ts'
import type { Lineage } from '../ground/database/lineage.ts'
import type { Ground } from '../ground/ground.ts'
import type { Config } from '../settings/read-config.ts'
import type { Closing } from './closing.ts'

export interface Caches {
  trust: Trust
  listener: Listener
  heard: Heard
  /** Null where there is none. */
  shared: SharedCache | null
  sessionCache: SessionCache
}

/**
 * Begins to hear of changes, and to keep what is read for as long as it is believed.
 * @param listenUrls where pie_auth hears of them: past a pooler
 * @throws OperatorError when CACHE_URL is set, and no client for it is installed
 */
export async function openCaches(
  { keys, clock, log, lineage }: Pick<Ground, 'keys' | 'clock' | 'log'> & { lineage: Lineage },
  config: Pick<Config, 'CACHE_URL' | 'NEAR_CACHE_SIZE'>,
  listenUrls: readonly Secret[],
  closing: Closing,
): Promise<Caches> {
  const trust = createTrust(clock)
  // What this node has changed itself, it tells its trust, and not its listener.
  const { counted, heard } = countHeard(trust)
  const listener = openListener(listenUrls, counted, log, lineage)
  closing.add(() => listener.close())
  const shared =
    config.CACHE_URL === null
      ? null
      : await openSharedCache(config.CACHE_URL, keys, lineage.current, log)
  if (shared !== null) closing.add(() => shared.close())
  const sessionCache = createCachedReads<CachedSession>(trust, shared, config.NEAR_CACHE_SIZE)
  return { trust, listener, heard, shared, sessionCache }
}
