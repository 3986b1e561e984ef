import { randomUUID } from 'node:crypto'
import type { DerivedKeys } from '../../ground/crypto/derive-keys.ts'
import type { Statement } from '../../ground/database/pipeline.ts'
import type { Row } from '../../ground/database/pool.ts'
import type { Ground } from '../../ground/ground.ts'
import type { PolicyOf } from '../../ground/policy.ts'
import type { User } from '../accounts/user.ts'
import { hashProof, proveSession } from './prove-session.ts'
import type { Device, SessionKind, StartedSession } from './session.ts'

/** The identity of a session that is about to be: its id, and what the database keeps of its proof. */
export interface SessionIdentity {
  id: string
  kind: SessionKind
  proofHash: Buffer
}

/** A session that is about to be started. */
export interface NewSession extends SessionIdentity {
  /** How long it lives unless it is used, and at most. */
  seconds: number
  absoluteSeconds: number
  device: Device
}

export function makeIdentity(
  [current]: readonly [DerivedKeys, ...DerivedKeys[]],
  kind: SessionKind,
): SessionIdentity {
  const id = randomUUID()
  const [proof] = proveSession([current], id).proofs as [Buffer]
  return { id, kind, proofHash: hashProof(proof) }
}

export function newSession(
  { keys, policy }: Pick<Ground, 'keys'> & PolicyOf<'sessions' | 'tokens'>,
  { kind, device }: { kind: SessionKind; device: Device },
): NewSession {
  const { sessions, tokens } = policy
  return {
    ...makeIdentity(keys, kind),
    seconds: kind === 'browser' ? sessions.seconds : tokens.refreshTokenSeconds,
    absoluteSeconds: sessions.absoluteSeconds,
    device,
  }
}

/** Returns no row when the user does not exist or is disabled. */
export const startSession = (
  userId: string,
  { id, kind, proofHash, seconds, absoluteSeconds, device }: NewSession,
  methods: string[],
): Statement => ({
  name: 'start_session',
  text: `select * from pie_private.start_session(
    $1, $2, $3, $4, $5, make_interval(secs => $6), make_interval(secs => $7), $8, $9)`,
  values: [
    ...[userId, id, kind, proofHash, methods, seconds, absoluteSeconds],
    ...[device.address, device.userAgent],
  ],
})

/** A row that starts a session, as that session; null where there is none. */
export function readStartedSession(
  { id, kind }: NewSession,
  row: Row | undefined,
): StartedSession | null {
  if (row === undefined) return null
  return {
    id,
    kind,
    user: row['user'] as User,
    generation: 0,
    refreshedAt: row['started_at'] as Date,
    expiresAt: row['expires_at'] as Date,
    absoluteExpiresAt: row['absolute_expires_at'] as Date,
  }
}
