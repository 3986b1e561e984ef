import type pg from 'pg'
import { minutes } from '../../ground/clock.ts'
import type { DerivedKeys } from '../../ground/crypto/derive-keys.ts'
import { makeSigningKey } from './signing-key.ts'

export interface Rotation {
  kid: string
  /** In how many seconds the new key begins to sign. */
  signsAfterSeconds: number
  /** In how many seconds the older keys stop being accepted. */
  olderEndAfterSeconds: number
}

/** Nodes re-read their keys every minute, and readers of the published set are told to keep it for five. */
const SIGNS_AFTER_SECONDS = minutes(10)

/**
 * Adds a signing key, and lets the older ones run out when the last token that they signed has.
 *
 * With `endOlderNow` the new key signs at once and the older ones are accepted no longer: for a key
 * that somebody else may have. Every access token then has to be refreshed.
 */
export async function rotateSigningKey(
  owner: pg.Client,
  keys: readonly DerivedKeys[],
  { accessTokenSeconds, endOlderNow }: { accessTokenSeconds: number; endOlderNow: boolean },
): Promise<Rotation> {
  const { kid, publicJwk, sealedPrivate } = makeSigningKey(keys)
  const signsAfterSeconds = endOlderNow ? 0 : SIGNS_AFTER_SECONDS
  // A node that has not re-read its keys may sign with an older one for a little longer.
  const overlapSeconds = endOlderNow ? 0 : accessTokenSeconds + minutes(5)
  await owner.query(
    'select pie_private.rotate_signing_key($1, $2, $3, make_interval(secs => $4), make_interval(secs => $5))',
    [kid, JSON.stringify(publicJwk), sealedPrivate, signsAfterSeconds, overlapSeconds],
  )
  return { kid, signsAfterSeconds, olderEndAfterSeconds: signsAfterSeconds + overlapSeconds }
}
