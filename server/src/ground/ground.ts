import type { Trust } from './cache/trust.ts'
import type { Clock } from './clock.ts'
import type { DerivedKeys } from './crypto/derive-keys.ts'
import type { PasswordHasher } from './crypto/password-hasher.ts'
import type { Database } from './database/pool.ts'
import type { SharedConnections } from './database/shared-connections.ts'
import type { Log } from './log.ts'

/** What the operator has decided. Durations are in seconds. */
export interface Policy {
  /** The issuer of every token (RFC 8414 section 2): the public origin. */
  issuer: string
  serviceName: string
  isRegistrationOpen: boolean
  /** What becomes of a sign-up when the application's hook fails. */
  hookFailures: 'log' | 'refuse'
  passwordMinLength: number
  accessTokenSeconds: number
  refreshTokenSeconds: number
  /** A browser's session: how long it lives unused, for how long after that it may be renewed. */
  sessionSeconds: number
  sessionRenewSeconds: number
  sessionAbsoluteSeconds: number
  /** Whether a CSRF token is good for its session, or for one request. */
  csrfMode: 'session' | 'request'
  /** Other origins whose pages may use Pie with its cookies. */
  allowedOrigins: readonly string[]
}

/** What features stand on. A feature names the parts it uses: `Pick<Ground, 'auth' | 'keys'>`. */
export interface Ground {
  /** Connections as pie_auth: the server's own work, by functions of pie_private. */
  auth: Database
  /** Connections as cream: request transactions. */
  requests: Database
  /** A few more of them, shared: what Pie itself reads, one function call each. */
  reads: SharedConnections
  /** Derived from each value of SECRET_KEY; the first is current. */
  keys: readonly [DerivedKeys, ...DerivedKeys[]]
  /** What this node knows of how well it hears of changes. */
  trust: Trust
  hasher: PasswordHasher
  policy: Policy
  clock: Clock
  log: Log
}
