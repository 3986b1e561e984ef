/** Deletes what is over, for as long as a node serves. */
import { cleanUp } from '../features/operations/clean-up.ts'
import type { Ground } from '../ground/ground.ts'

const EVERY_MS = 60_000
/** Not before a node that has just been started serves its first requests; and several not at the same moment. */
const firstAfterMs = (): number => 2_000 + Math.random() * 8_000

/** @returns what ends it, at most after the batch under way, which nobody has to wait for */
export function startCleanUp(ground: Pick<Ground, 'auth' | 'log'>): () => void {
  const stopping = new AbortController()
  let timer: NodeJS.Timeout
  let isFailing = false
  const later = (ms: number) => {
    timer = setTimeout(work, ms)
    timer.unref()
  }
  const work = async () => {
    try {
      const counts = await cleanUp(ground, stopping.signal)
      if (Object.keys(counts).length > 0) ground.log.debug({ deleted: counts }, 'cleaned up')
      isFailing = false
    } catch (error) {
      // Once for each time that it begins to: where Postgres is away, others say so too.
      if (!isFailing && !stopping.signal.aborted)
        ground.log.warn(
          { err: error },
          'could not delete what is over; it is tried again each minute',
        )
      isFailing = true
    }
    if (!stopping.signal.aborted) later(EVERY_MS)
  }
  later(firstAfterMs())
  return () => {
    stopping.abort()
    clearTimeout(timer)
  }
}
