import type { Keys } from '../../server/src/composition/read-keys.ts'
import { signOperatorToken } from '../../server/src/features/operations/operator-token.ts'
import { systemClock } from '../../server/src/ground/clock.ts'
import { askOnce } from '../load/ask-once.ts'

/** Where a node has found the sessions that it was asked for: in its memory, in Valkey, in Postgres. */
export interface CacheCounts {
  hits: number
  sharedHits: number
  reads: number
}

export async function readCacheCounts(
  { address }: { address: string },
  keys: Keys,
): Promise<CacheCounts> {
  const token = signOperatorToken({ keys, clock: systemClock })
  const { hits, shared_hits, reads } = JSON.parse(
    await askOnce(address, { method: 'GET', path: '/health/cache', token }),
  )
  return { hits, sharedHits: shared_hits, reads }
}

/** What may come from elsewhere: a heartbeat that comes late on a busy machine sends a few to Postgres. */
const MOST_ELSEWHERE = 0.01

/**
 * Measures, and makes sure that what was measured is what was meant.
 * @throws when more than one session in a hundred was found elsewhere
 */
export async function foundIn<T>(
  place: keyof CacheCounts,
  node: { address: string },
  keys: Keys,
  measure: () => Promise<T>,
): Promise<T> {
  const before = await readCacheCounts(node, keys)
  const measured = await measure()
  const after = await readCacheCounts(node, keys)
  const found = {
    hits: after.hits - before.hits,
    sharedHits: after.sharedHits - before.sharedHits,
    reads: after.reads - before.reads,
  }
  const all = found.hits + found.sharedHits + found.reads
  if (!(found[place] >= (1 - MOST_ELSEWHERE) * all && all > 0))
    throw new Error(`the sessions were not all found in ${place}: ${JSON.stringify(found)}`)
  return measured
}
