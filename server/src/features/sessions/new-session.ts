import { randomUUID } from 'node:crypto'
import type { DerivedKeys } from '../../ground/crypto/derive-keys.ts'
import { hashProof, proveSession } from './prove-session.ts'

/** The identity of a session that is about to be started: its id, and what the database keeps of its proof. */
export interface NewSession {
  id: string
  proofHash: Buffer
}

export function newSession(keys: readonly [DerivedKeys, ...DerivedKeys[]]): NewSession {
  const id = randomUUID()
  const [proof] = proveSession([keys[0]], id).proofs as [Buffer]
  return { id, proofHash: hashProof(proof) }
}
