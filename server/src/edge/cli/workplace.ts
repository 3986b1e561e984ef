import type pg from 'pg'
import type { DerivedKeys } from '../../ground/crypto/derive-keys.ts'
import type { Secret } from '../../ground/crypto/secret.ts'
import type { Ground, Policy } from '../../ground/ground.ts'

/** What commands work with. Main gives it, because only main knows the configuration. */
export interface Workplace {
  version: string
  /** Starts Pie, and returns when it has been stopped. */
  serve(options: { isDevelopment: boolean }): Promise<void>
  /** Works on the database as its owner, whether or not a Pie is running on it. */
  asOwner<T>(work: (place: OwnersPlace) => Promise<T>): Promise<T>
}

export interface OwnersPlace {
  owner: pg.Client
  /** Brings the database up to date, so that a command may be the first thing that is ever run. */
  prepare(): Promise<string[]>
  keys: readonly [DerivedKeys, ...DerivedKeys[]]
  policy: Policy
  hasher: Ground['hasher']
  /** The owner's address, and those of the two login roles. */
  urls(): Promise<{ owner: Secret; auth: Secret; requests: Secret }>
}
