import { createHash } from 'node:crypto'
import { authenticateText, type DerivedKeys } from '../../ground/crypto/derive-keys.ts'
import type { SessionCredential } from '../../ground/database/request-transaction.ts'

/**
 * What this server shows Postgres for a session: an HMAC of its id. It is computed, never stored, and
 * opens nothing over HTTP, so a parameter in a query log lets nobody in.
 */
export function proveSession(keys: readonly DerivedKeys[], sessionId: string): SessionCredential {
  return {
    sessionId,
    proofs: keys.map(({ sessionProof }) => authenticateText(sessionProof, sessionId)),
  }
}

/** What Postgres keeps of a proof. */
export function hashProof(proof: Buffer): Buffer {
  return createHash('sha256').update(proof).digest()
}
