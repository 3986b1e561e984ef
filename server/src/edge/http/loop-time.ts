import { type CountHere, createCounts } from './count-here.ts'
import { refuseFor } from './rate-limit.ts'

/** What somebody takes of this process's event loop, in which everybody else waits meanwhile. */
export interface LoopTime {
  /** Does some work, and counts how long it takes; also where it fails. */
  during<T>(work: () => T): T
  /** @throws Refusal `too_many_requests` where they have had what is theirs */
  refuseOver(): void
}

/** Of each minute that is counted. */
export interface MostLoopTime {
  userMs: number
  /** Less, so that somebody with a stolen session elsewhere leaves its owner some. */
  networkMs: number
}

const MINUTE_MS = 60_000

/** Users and networks that one process counts at once. */
const MOST_COUNTED = 40_000

/**
 * Counts it by user, over all of their sessions.
 * @param busyMs how long this thread has worked; replaced only by tests
 * @param countHere replaced only by tests
 */
export function createLoopTimes(
  { userMs, networkMs }: MostLoopTime,
  busyMs: () => number = threadMs,
  countHere: CountHere = createCounts(MOST_COUNTED),
): (user: string, network: string) => LoopTime {
  return (user, network) => {
    const limits = [
      { key: user, most: userMs },
      { key: `${user} ${network}`, most: networkMs },
    ]
    return {
      during(work) {
        const began = busyMs()
        try {
          return work()
        } finally {
          const took = busyMs() - began
          for (const { key } of limits) countHere(key, MINUTE_MS, took)
        }
      },
      refuseOver() {
        for (const { key, most } of limits) {
          const { current, ttl } = countHere(key, MINUTE_MS, 0)
          if (current >= most) throw refuseFor(ttl)
        }
      },
    }
  }
}

/** Of its own work: that the machine is busy with something else is nobody's fault here. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
