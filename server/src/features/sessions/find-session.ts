import type { Statement } from '../../ground/database/pipeline.ts'
import type { Ground } from '../../ground/ground.ts'
import { type CachedSession, type SessionCache, toEntry } from './cached-session.ts'
import { proveSession } from './prove-session.ts'

/**
 * A session and its user: from this process, from the shared cache, or from Postgres. It may have
 * expired. Null when there is none, or it has been revoked, or is past its absolute limit.
 */
export async function findSession(
  { reads, keys, sessionCache }: Pick<Ground, 'reads' | 'keys'> & { sessionCache: SessionCache },
  sessionId: string,
): Promise<CachedSession | null> {
  return sessionCache.find(sessionId, async () => {
    // There is more than one proof only while SECRET_KEY is being changed.
    for (const proof of proveSession(keys, sessionId).proofs) {
      const [row] = await reads.read(readSession(sessionId, proof))
      if (row?.['description']) return toEntry(row['description'])
    }
    return null
  })
}

/** By one proof: on connections that are shared. */
const readSession = (sessionId: string, proof: Buffer): Statement => ({
  name: 'read_session',
  text: 'select pie_private.read_session($1, $2) as description',
  values: [sessionId, proof],
})
