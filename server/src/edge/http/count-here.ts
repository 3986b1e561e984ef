import { LRUCache } from 'lru-cache'

export interface Counted {
  current: number
  /** Until it begins again, in milliseconds. */
  ttl: number
}

/** Counts in this process: how much of a thing there has been in its window, with this. */
export type CountHere = (key: string, windowMs: number, amount?: number) => Counted

/**
 * @param most of the keys that are counted at once; the ones not seen for longest are forgotten first
 * @param clock in milliseconds; replaced only by tests
 */
export function createCounts(most: number, clock = () => performance.now()): CountHere {
  const windows = new LRUCache<string, { count: number; endsAt: number }>({ max: most })
  return (key, windowMs, amount = 1) => {
    const now = clock()
    const known = windows.get(key)
    if (known !== undefined && known.endsAt > now) {
      known.count += amount
      return { current: known.count, ttl: known.endsAt - now }
    }
    windows.set(key, { count: amount, endsAt: now + windowMs })
    return { current: amount, ttl: windowMs }
  }
}
