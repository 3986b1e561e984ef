import type pg from 'pg'
import type { DerivedKeys } from '../../ground/crypto/derive-keys.ts'
import { hashProof, proveSession } from './prove-session.ts'

/** Of the sessions that may act or be renewed, those that an older key of SECRET_KEY still has to prove. */
export interface SessionsOfOlderKeys {
  sessions: number
  ofOlderKeys: number
  /** When the last of those ends, if it is never used again. Null when there are none. */
  endBy: Date | null
}

interface SessionRow {
  id: string
  proof_hash: Buffer
  ends_at: Date
}

/** Sessions that are looked at in one statement. */
const BATCH = 10_000

/**
 * Looks at every live session, some 3 µs each: only whoever has the key can tell which one has made a proof.
 * @param renewSeconds for how long an expired session of a browser may be renewed
 */
export async function countSessionsOfOlderKeys(
  owner: pg.Client,
  [current]: readonly [DerivedKeys, ...DerivedKeys[]],
  renewSeconds: number,
): Promise<SessionsOfOlderKeys> {
  const counted: SessionsOfOlderKeys = { sessions: 0, ofOlderKeys: 0, endBy: null }
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const { rows } = await owner.query<SessionRow>(
      `select id, proof_hash, least(absolute_expires_at, expires_at + make_interval(secs => $2)) as ends_at
       from pie_private.sessions
       where id > $1 and revoked_at is null and successor_id is null
         and least(absolute_expires_at, expires_at + make_interval(secs => $2)) > now()
       order by id limit $3`,
      [after, renewSeconds, BATCH],
    )
    for (const { id, proof_hash, ends_at } of rows) {
      counted.sessions += 1
      const [proof] = proveSession([current], id).proofs
      if (proof !== undefined && hashProof(proof).equals(proof_hash)) continue
      counted.ofOlderKeys += 1
      if (counted.endBy === null || ends_at > counted.endBy) counted.endBy = ends_at
    }
    const last = rows.at(-1)
    if (last === undefined) return counted
    after = last.id
  }
}
