/** A shared cache at its worst: it writes late or never, forgets, and hands out what it once had. */
import type { Entry } from '../../server/src/ground/cache/protocol.ts'
import type { SharedCache } from '../../server/src/ground/cache/shared-cache.ts'
import type { Pending } from './pending.ts'

interface Kept {
  head: readonly number[]
  sealed: Sealed | null
}

/** Opens only for whoever reads the same history. */
interface Sealed {
  lineage: string
  text: string
}

/** What a get finds: 0 and 1 what is there, 2 nothing, and from 3 on something that has been there. */
type Choice = number

export function createSimulatedSharedCache() {
  const current = new Map<string, Kept>()
  const everHad = new Map<string, Sealed[]>()
  let isOut = false

  const put = (key: string, id: string, kept: Kept) => {
    const there = current.get(key)?.head ?? [0, 0]
    const step = kept.head.map((version, i) => version - (there[i] ?? 0)).find((by) => by !== 0)
    if (isOut || (step ?? 0) < 0) return
    current.set(key, kept)
    if (kept.sealed !== null) everHad.set(id, [...(everHad.get(id) ?? []), kept.sealed])
  }
  const look = (key: string, id: string, choice: Choice): Sealed | null => {
    const had = everHad.get(id) ?? []
    if (isOut || choice === 2) return null
    return choice < 2 ? (current.get(key)?.sealed ?? null) : (had[choice % had.length] ?? null)
  }
  const keyOf = (lineage: string, id: string) => `${lineage} ${id}`

  return {
    flush: () => current.clear(),
    setOut: (out: boolean) => {
      isOut = out
    },
    /** As one process sees it. */
    seenBy: (pending: Pending, lineageNow: () => string): SharedCache => ({
      get: (id) =>
        new Promise((resolve) => {
          const lineage = lineageNow()
          let found: Sealed | null = null
          pending.add({
            steps: [
              (choice) => {
                found = look(keyOf(lineage, id), id, choice)
              },
              () =>
                resolve(
                  found?.lineage === lineage ? (JSON.parse(found.text) as Entry<unknown>) : null,
                ),
            ],
            lose: () => resolve(null),
          })
        }),
      put: (id, entry) => {
        const head = entry.versions.map(([, version]) => version)
        const sealed = { lineage: lineageNow(), text: JSON.stringify(entry) }
        const key = keyOf(sealed.lineage, id)
        pending.add({ steps: [() => put(key, id, { head, sealed })], lose: () => {} })
      },
      drop: (id) => {
        const head = [Number.MAX_SAFE_INTEGER, 0]
        const key = keyOf(lineageNow(), id)
        pending.add({ steps: [() => put(key, id, { head, sealed: null })], lose: () => {} })
      },
      count: async () => null,
      status: () => ({ state: 'connected' }),
      close: async () => {},
    }),
  }
}

export type SimulatedSharedCache = ReturnType<typeof createSimulatedSharedCache>
