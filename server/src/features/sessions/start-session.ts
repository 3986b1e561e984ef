import type { Statement } from '../../ground/database/pipeline.ts'
import type { Row } from '../../ground/database/pool.ts'
import type { User } from '../accounts/user.ts'
import type { NewSession } from './new-session.ts'
import type { Device, Lifetime, StartedSession } from './session.ts'

/** Returns no row when the user does not exist or is disabled. */
export const startSession = (
  userId: string,
  session: NewSession,
  methods: string[],
  { seconds, absoluteSeconds }: Lifetime,
  device: Device,
): Statement => ({
  name: 'start_session',
  text: `select * from pie_private.start_session(
    $1, $2, $3, $4, $5, make_interval(secs => $6), make_interval(secs => $7), $8, $9)`,
  values: [
    userId,
    session.id,
    session.kind,
    session.proofHash,
    methods,
    seconds,
    absoluteSeconds,
    device.address,
    device.userAgent,
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
