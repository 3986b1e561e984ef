/** Puts together what reading a session takes, in an application beside a Pie server. */
import type { SessionGround } from '../edge/request/session-ground.ts'
import { readKeyRing } from '../features/keys/key-ring.ts'
import { createAccessTokenVerifier } from '../features/tokens/verify-access-token.ts'
import { systemClock } from '../ground/clock.ts'
import { deriveKeys } from '../ground/crypto/derive-keys.ts'
import type { Secret } from '../ground/crypto/secret.ts'
import { atOtherAddress, withPassword } from '../ground/database/login-address.ts'
import type { Log } from '../ground/log.ts'
import type { SessionConfig } from '../settings/read-session-config.ts'
import { createClosing } from './closing.ts'
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
    const urls = {
      auth: addressesOf(config.AUTH_DATABASE_URL, keys, 'authRolePassword'),
      requests: addressesOf(config.REQUEST_DATABASE_URL, keys, 'requestRolePassword'),
    }
    const connections = await openConnections(urls, config.DATABASE_CONNECTIONS, log, closing)
    const { DIRECT_DATABASE_URL: direct } = config
    const listenUrls =
      direct === null
        ? urls.auth
        : urls.auth.map((url) => atOtherAddress(url, config.AUTH_DATABASE_URL, direct))
    const caches = await openCaches({ keys, clock, log }, config, listenUrls, closing)
    const keyRing = await readKeyRing({ ...connections, keys, clock, log })
    closing.add(() => keyRing.close())
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

/** An address without a password gets the one that SECRET_KEY makes; of several keys, any may have made it. */
function addressesOf(
  url: Secret,
  keys: Keys,
  password: 'authRolePassword' | 'requestRolePassword',
): [Secret, ...Secret[]] {
  if (new URL(url.revealText()).password !== '') return [url]
  return keys.map((key) => withPassword(url, key[password])) as [Secret, ...Secret[]]
}
