import type pg from 'pg'
import type { DerivedKeys } from '../../ground/crypto/derive-keys.ts'
import { type Rotation, rotateSigningKey } from './rotate-signing-key.ts'

export interface TakenOver extends Rotation {
  /** How many sessions have been ended: nobody can prove them any more. */
  ended: number
}

/**
 * Makes SECRET_KEY the key of a database whose own is lost: every session ends, and a new signing key takes the place of those
 * that nobody can open. Passwords of people stay; they are hashed, not sealed.
 */
export async function takeOver(
  owner: pg.Client,
  keys: readonly DerivedKeys[],
  accessTokenSeconds: number,
): Promise<TakenOver> {
  await owner.query('begin')
  try {
    const { rowCount } = await owner.query(
      `update pie_private.sessions set revoked_at = now(), revoked_reason = 'revoked_by_operator' where revoked_at is null`,
    )
    const rotation = await rotateSigningKey(owner, keys, { accessTokenSeconds, endOlderNow: true })
    await owner.query('commit')
    return { ...rotation, ended: rowCount ?? 0 }
  } catch (error) {
    await owner.query('rollback')
    throw error
  }
}
