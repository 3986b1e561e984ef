import type { Trust } from './cache/trust.ts'
import type { Clock } from './clock.ts'
import type { DerivedKeys } from './crypto/derive-keys.ts'
import type { PasswordHasher } from './crypto/password-hasher.ts'
import type { Database } from './database/pool.ts'
import type { SharedConnections } from './database/shared-connections.ts'
import type { Log } from './log.ts'
import type { Policy } from './policy.ts'

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
