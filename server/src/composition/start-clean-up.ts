/** Deletes what is over, for as long as a node serves. */
import { cleanUp } from '../features/operations/clean-up.ts'
import { keepAuditMonths } from '../features/operations/keep-audit-months.ts'
import type { Ground } from '../ground/ground.ts'

const EVERY_MS = 60_000
/** Not before a node that has just been started serves its first requests; and several not at the same moment. */
const firstAfterMs = (): number => 2_000 + Math.random() * 8_000

/**
 * @param auditRetentionSeconds how long the audit log is kept; null for ever
 * @returns what ends it, at most after the batch under way, which nobody has to wait for
 */
export function startCleanUp(
  ground: Pick<Ground, 'auth' | 'log'>,
  auditRetentionSeconds: number | null,
): () => void {
  const stopping = new AbortController()
  let timer: NodeJS.Timeout
  let isFailing = false
  const later = (ms: number) => {
    timer = setTimeout(work, ms)
    timer.unref()
  }
  const work = async () => {
    // One that fails does not keep the other from its work.
    const done = await Promise.allSettled([
      cleanUp(ground, stopping.signal),
      keepAuditMonths(ground, auditRetentionSeconds),
    ])
    if (stopping.signal.aborted) return
    const [deleted, dropped] = done.map((one) => (one.status === 'fulfilled' ? one.value : 0))
    if (deleted !== 0) ground.log.debug({ deleted }, 'deleted what is over')
    if (dropped !== 0)
      ground.log.info({ partitions: dropped }, 'dropped old months of the audit log')
    const failed = done.find((one) => one.status === 'rejected')
    // Once for each time that it begins to: where Postgres is away, others say so too.
    if (failed !== undefined && !isFailing)
      ground.log.warn(
        { err: failed.reason },
        'could not delete what is over; it is tried again each minute',
      )
    isFailing = failed !== undefined
    later(EVERY_MS)
  }
  later(firstAfterMs())
  return () => {
    stopping.abort()
    clearTimeout(timer)
  }
}
