import { randomUUID } from 'node:crypto'
import type { DerivedKeys } from '../../ground/crypto/derive-keys.ts'
import type { Policy } from '../../ground/policy.ts'
import { hashProof, proveSession } from './prove-session.ts'
import type { Lifetime, SessionKind } from './session.ts'

/** The identity of a session that is about to be started: its id, and what the database keeps of its proof. */
export interface NewSession {
  id: string
  kind: SessionKind
  proofHash: Buffer
}

export function newSession(
  keys: readonly [DerivedKeys, ...DerivedKeys[]],
  kind: SessionKind,
): NewSession {
  const id = randomUUID()
  const [proof] = proveSession([keys[0]], id).proofs as [Buffer]
  return { id, kind, proofHash: hashProof(proof) }
}

export function lifetimeOf(
  { sessions, tokens }: Pick<Policy, 'sessions' | 'tokens'>,
  kind: SessionKind,
): Lifetime {
  return {
    seconds: kind === 'browser' ? sessions.seconds : tokens.refreshTokenSeconds,
    absoluteSeconds: sessions.absoluteSeconds,
  }
}
