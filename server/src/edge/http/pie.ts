import type { KeyRing } from '../../features/keys/key-ring.ts'
import type { VerifyAccessToken } from '../../features/tokens/access-token.ts'
import type { Ground } from '../../ground/ground.ts'

/** What the edge works with: the ground, and what features keep in this process. */
export interface Pie extends Ground {
  keyRing: KeyRing
  verifyAccessToken: VerifyAccessToken
}
