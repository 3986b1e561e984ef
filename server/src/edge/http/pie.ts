import type { KeyRing } from '../../features/keys/key-ring.ts'
import type { Health } from '../../features/operations/doctor/health.ts'
import type { SessionCache } from '../../features/sessions/cached-session.ts'
import type { VerifyAccessToken } from '../../features/tokens/verify-access-token.ts'
import type { Heard } from '../../ground/cache/heard.ts'
import type { SharedCache } from '../../ground/cache/shared-cache.ts'
import type { Ground } from '../../ground/ground.ts'
import type { GraphqlSettings } from '../graphql/settings.ts'

/** What the edge works with: the ground, and what features keep in this process. */
export interface Pie extends Ground {
  keyRing: KeyRing
  verifyAccessToken: VerifyAccessToken
  sessionCache: SessionCache
  /** Valkey or Redis; null when there is none. */
  shared: SharedCache | null
  /** What has come of the notices, for whoever watches. */
  heard: Heard
  graphql: GraphqlSettings
  /** What this node last found when it looked at its database. */
  health: Health
  /** Resolves when this node has heard of every change that had been committed before. */
  catchUp(): Promise<void>
}
