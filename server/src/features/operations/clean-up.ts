import { setTimeout as sleep } from 'node:timers/promises'
import type { Ground } from '../../ground/ground.ts'

/** What a batch may be: so much that a hundred sessions are one round trip, so little that it is over in milliseconds. */
const BATCH = 500

/** For each kind, before the next has its turn: what comes as fast as it is deleted keeps no other from being so. */
const MOST_BATCHES = 1_000

/** After each batch as many times as long as it took: whoever signs in meanwhile has most of Postgres for themselves. */
const REST = 4
const LEAST_REST_MS = 20

/** What is over, in this order: each a function of Postgres, that deletes so many at most and returns how many. */
const kinds = [
  ['delete_ended_sessions', 'select pie_private.delete_ended_sessions($1) as deleted'],
  ['delete_empty_throttles', 'select pie_private.delete_empty_throttles($1) as deleted'],
  ['delete_used_csrf_tokens', 'select pie_private.delete_used_csrf_tokens($1) as deleted'],
  ['delete_forgotten_networks', 'select pie_private.delete_forgotten_networks($1) as deleted'],
] as const

/**
 * Deletes what is over, in small batches with rests between them, until there is no more of it. Any number of nodes may do it
 * at once: each takes what no other has in hand.
 *
 * @param stopping ends it after the batch under way
 * @returns how many were deleted
 */
export async function cleanUp(
  { auth }: Pick<Ground, 'auth'>,
  stopping: AbortSignal,
): Promise<number> {
  let sum = 0
  for (const [name, text] of kinds) {
    for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
      if (stopping.aborted) return sum
      const beganMs = performance.now()
      const [[row] = []] = await auth.send({ name, text, values: [BATCH] })
      const deleted = Number(row?.['deleted'] ?? 0)
      sum += deleted
      // Less than a batch may be what others left: only where there was nothing is there no more.
      if (deleted === 0) break
      await rest(Math.max(LEAST_REST_MS, REST * (performance.now() - beganMs)), stopping)
    }
  }
  return sum
}

/** Ends early, and in good order, where there is to be no more. */
const rest = (ms: number, signal: AbortSignal): Promise<unknown> =>
  sleep(ms, undefined, { signal, ref: false }).catch(() => {})
