import { LRUCache } from 'lru-cache'
import type { Entry } from './protocol.ts'
import type { SharedCache } from './shared-cache.ts'
import type { Trust } from './trust.ts'

/** Reads of one kind of thing, answered from this process, then from the shared cache, then by Postgres. */
export interface CachedReads<Value> {
  /**
   * What `readTruth` would return, or has returned and is still believed. At most one reading of a thing
   * goes on at a time, as long as what it brings is believed.
   */
  find(id: string, readTruth: () => Promise<Entry<Value> | null>): Promise<Value | null>
  /** What this process has and believes. No I/O. */
  peek(id: string): Value | null
  /** Keeps what has just been read. */
  keep(id: string, entry: Entry<Value>): void
  /** Tells the shared cache, too, that what it has is not to be used. */
  drop(id: string): void
  status(): { entries: number; hits: number; sharedHits: number; reads: number }
}

export function createCachedReads<Value extends object>(
  trust: Trust,
  shared: SharedCache | null,
  mostEntries: number,
): CachedReads<Value> {
  const near = new LRUCache<string, Entry<Value>>({ max: mostEntries })
  const ongoing = new Map<string, Promise<Entry<Value> | null>>()
  const counts = { hits: 0, sharedHits: 0, reads: 0 }
  const isBelieved = (entry: Entry<Value>): boolean => trust.judge(entry) === 'believed'

  const peek = (id: string): Value | null => {
    const entry = near.get(id)
    if (entry === undefined) return null
    if (isBelieved(entry)) {
      counts.hits += 1
      return entry.value
    }
    near.delete(id)
    return null
  }

  const keep = (id: string, entry: Entry<Value>) => {
    if (!isBelieved(entry)) return
    near.set(id, entry)
    shared?.put(id, entry)
  }

  const read = async (id: string, readTruth: () => Promise<Entry<Value> | null>) => {
    if (shared !== null && trust.hears()) {
      const entry = (await shared.get(id)) as Entry<Value> | null
      if (entry !== null && isBelieved(entry)) {
        counts.sharedHits += 1
        near.set(id, entry)
        return entry
      }
    }
    counts.reads += 1
    const entry = await readTruth()
    if (entry !== null) keep(id, entry)
    return entry
  }

  return {
    peek,
    keep,
    find: async (id, readTruth) => {
      const known = peek(id)
      if (known !== null) return known
      const earlier = ongoing.get(id)
      if (earlier !== undefined) {
        // That reading began before this one was asked for: it is as good as a cache, and no better.
        const joined = await earlier.catch(() => null)
        if (joined !== null && isBelieved(joined)) return joined.value
      }
      const own = read(id, readTruth)
      ongoing.set(id, own)
      try {
        // Begun after it was asked for, so whatever the cache may believe, this is true.
        return (await own)?.value ?? null
      } finally {
        if (ongoing.get(id) === own) ongoing.delete(id)
      }
    },
    drop: (id) => {
      near.delete(id)
      shared?.drop(id)
    },
    status: () => ({ entries: near.size, ...counts }),
  }
}
