import { LRUCache } from 'lru-cache'
import type { Entry } from './protocol.ts'
import type { SharedCache } from './shared-cache.ts'
import type { Beginning, Trust } from './trust.ts'

/** Reads of one kind of thing, answered from this process, then from the shared cache, then by Postgres. */
export interface CachedReads<Value> {
  /**
   * What `readTruth` would return, or has returned and is still believed. At most one reading of a thing
   * goes on at a time, as long as what it brings is believed.
   */
  find(id: string, readTruth: () => Promise<Entry<Value> | null>): Promise<Value | null>
  /** What this process has and believes. No I/O. */
  peek(id: string): Value | null
  /**
   * Before Postgres is asked for more than a reading, such as a visit. Call what is returned with what that brings:
   * it is kept under its id, or, where nothing has come, nothing is.
   */
  begin(): (id: string, entry: Entry<Value> | null) => void
  /** Tells the shared cache, too, that what it has is not to be used. */
  drop(id: string): void
  status(): { entries: number; hits: number; sharedHits: number; reads: number }
}

/** An entry, and when this process began to read it. */
interface Held<Value> {
  entry: Entry<Value>
  began: Beginning
}

export function createCachedReads<Value extends object>(
  trust: Trust,
  shared: SharedCache | null,
  mostEntries: number,
): CachedReads<Value> {
  const near = new LRUCache<string, Held<Value>>({ max: mostEntries })
  const ongoing = new Map<string, Promise<Held<Value> | null>>()
  const counts = { hits: 0, sharedHits: 0, reads: 0 }
  const isBelieved = ({ entry, began }: Held<Value>): boolean =>
    trust.judge(entry, began) === 'believed'

  const peek = (id: string): Value | null => {
    const held = near.get(id)
    if (held === undefined) return null
    if (isBelieved(held)) {
      counts.hits += 1
      return held.entry.value
    }
    near.delete(id)
    return null
  }

  const keep = (id: string, held: Held<Value>) => {
    if (!isBelieved(held)) return
    near.set(id, held)
    shared?.put(id, held.entry)
  }

  const drop = (id: string) => {
    near.delete(id)
    shared?.drop(id)
  }

  const readShared = async (id: string, of: SharedCache): Promise<Held<Value> | null> => {
    const began = trust.begin()
    const entry = (await of.get(id)) as Entry<Value> | null
    const held = entry === null ? null : { entry, began }
    if (held === null || !isBelieved(held)) return null
    counts.sharedHits += 1
    near.set(id, held)
    return held
  }

  const read = async (id: string, readTruth: () => Promise<Entry<Value> | null>) => {
    const known = shared !== null && trust.hears() ? await readShared(id, shared) : null
    if (known !== null) return known
    counts.reads += 1
    const began = trust.begin()
    const entry = await readTruth()
    if (entry === null) return null
    const held = { entry, began }
    keep(id, held)
    return held
  }

  return {
    peek,
    find: async (id, readTruth) => {
      const known = peek(id)
      if (known !== null) return known
      const earlier = ongoing.get(id)
      if (earlier !== undefined) {
        // That reading began before this one was asked for: it is as good as a cache, and no better.
        // Nor would whoever reads again be answered sooner, where that has failed.
        const joined = await earlier
        if (joined !== null && isBelieved(joined)) return joined.entry.value
      }
      const own = read(id, readTruth)
      ongoing.set(id, own)
      try {
        // Begun after it was asked for, so whatever the cache may believe, this is true.
        return (await own)?.entry.value ?? null
      } finally {
        if (ongoing.get(id) === own) ongoing.delete(id)
      }
    },
    begin: () => {
      const began = trust.begin()
      return (id, entry) => (entry === null ? drop(id) : keep(id, { entry, began }))
    },
    drop,
    status: () => ({ entries: near.size, ...counts }),
  }
}
