import type { Heard } from '../../ground/cache/heard.ts'
import { createDurations, type Durations } from '../../ground/durations.ts'
import type { Ground } from '../../ground/ground.ts'

/** A revocation of many sessions is heard in as many notices: one of them is enough. */
const AT_MOST_EVERY_MS = 1_000

/**
 * How long after a session was revoked this node heard of it, of one revocation a second: the notice does not say when, because
 * nodes of the version before could not read one that did. By the database's clock on both ends: from the beginning of the
 * revoking transaction, as of the last heartbeat, so to within half a round trip.
 */
export function sampleRevocationDelay({ auth }: Pick<Ground, 'auth'>, heard: Heard): Durations {
  const delays = createDurations()
  let nextAt = 0
  heard.watchSessions((sessionId, heardAtMs) => {
    if (performance.now() < nextAt) return
    nextAt = performance.now() + AT_MOST_EVERY_MS
    const asked = auth.send({
      name: 'session_revoked_at',
      text: 'select extract(epoch from pie_private.session_revoked_at($1)) * 1000 as at',
      values: [sessionId],
    })
    asked.then(
      ([rows = []]) => {
        const at = rows[0]?.['at'] ?? null
        if (at !== null) delays.observe(Math.max(0, heardAtMs - Number(at)))
      },
      // It is one sample of many.
      () => {},
    )
  })
  return delays
}
