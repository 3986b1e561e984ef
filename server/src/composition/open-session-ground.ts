/** Puts together what reading a session takes, in an application beside a Pie server. */
import type { SessionGround } from '../edge/request/session-ground.ts'
import { readKeyRing } from '../features/keys/key-ring.ts'
import { differences, listNodes, sharedSettings } from '../features/operations/announce-node.ts'
import { createAccessTokenVerifier } from '../features/tokens/verify-access-token.ts'
import { systemClock } from '../ground/clock.ts'
import { deriveKeys } from '../ground/crypto/derive-keys.ts'
import { OperatorError } from '../ground/errors.ts'
import type { Log } from '../ground/log.ts'
import type { SessionConfig } from '../settings/read-session-config.ts'
import { checkDatabase } from './check-database.ts'
import { createClosing } from './closing.ts'
import { findListenUrls, givenLogins } from './find-logins.ts'
import { openCaches } from './open-caches.ts'
import { openConnections } from './open-connections.ts'
import type { Keys } from './read-keys.ts'

/**
 * Connects as pie_auth and cream, and begins to listen for changes. Never migrates, sets no password, and has not
 * got the owner's address.
 *
 * @throws OperatorError when something that it needs is missing, wrong or unsafe
 */
export async function openSessionGround(
  config: SessionConfig,
  log: Log,
): Promise<{ ground: SessionGround; close(): Promise<void> }> {
  const closing = createClosing()
  const clock = systemClock
  try {
    const keys = deriveKeys(config.SECRET_KEY) as unknown as Keys
    for (const warning of config.warnings) log.warn(warning)
    const urls = givenLogins(config, keys)
    const policy = {
      service: {
        origin: config.SERVICE_DOMAIN,
        name: config.SERVICE_NAME,
        allowedOrigins: config.ALLOWED_ORIGINS,
      },
      sessions: {
        seconds: config.SESSION_TTL,
        renewSeconds: config.SESSION_RENEW_WINDOW,
        absoluteSeconds: config.SESSION_ABSOLUTE_TTL,
        csrfMode: config.CSRF_MODE,
      },
    }
    const { lineage, ...connections } = await openConnections(
      urls,
      config.DATABASE_CONNECTIONS,
      log,
      closing,
    )
    const { AUTH_DATABASE_URL, DIRECT_DATABASE_URL } = config
    const listenUrls = findListenUrls(urls.auth, AUTH_DATABASE_URL, DIRECT_DATABASE_URL)
    await checkDatabase({ ...connections, clock, log })
    await checkAlike(connections, policy)
    const caches = await openCaches({ keys, clock, log, lineage }, config, listenUrls, closing)
    const keyRing = await readKeyRing({ ...connections, keys, clock, log })
    closing.add(() => keyRing.close())
    const verifyAccessToken = createAccessTokenVerifier({ clock, policy, keyRing })
    await caches.listener.started
    const { trust, sessionCache } = caches
    return {
      ground: { ...connections, keys, trust, clock, log, policy, sessionCache, verifyAccessToken },
      close: closing.close,
    }
  } catch (error) {
    await closing.close().catch((cause) => log.error({ err: cause }, 'could not stop cleanly'))
    throw error
  }
}

/**
 * Somebody who lets sessions live longer than the server does, or asks less of them, would undo what its operator has set.
 * @throws OperatorError when none of the nodes that serve now has it alike
 */
async function checkAlike(
  { auth }: Pick<SessionGround, 'auth'>,
  policy: SessionGround['policy'],
): Promise<void> {
  const settings = sharedSettings(policy)
  const found = (await listNodes({ auth })).map((node) => differences(settings, node.settings))
  if (found.length === 0 || found.some((different) => different.length === 0)) return
  throw new OperatorError(
    `The Pie server on this database has other settings: ${found[0]?.join(', ')}. Set them here to what they are there.`,
  )
}
