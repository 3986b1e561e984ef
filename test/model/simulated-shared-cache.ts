/** A shared cache at its worst: it writes late or never, forgets, and hands out what it once had. */
import type { Entry } from '../../server/src/ground/cache/protocol.ts'
import type { SharedCache } from '../../server/src/ground/cache/shared-cache.ts'
import type { Pending } from './pending.ts'

interface Kept {
  head: readonly number[]
  text: string | null
}

/** What a get finds: 0 and 1 what is there, 2 nothing, and from 3 on something that has been there. */
type Choice = number

export function createSimulatedSharedCache() {
  const current = new Map<string, Kept>()
  const everHad = new Map<string, string[]>()
  let isOut = false

  const put = (id: string, kept: Kept) => {
    const there = current.get(id)?.head ?? [0, 0]
    const step = kept.head.map((version, i) => version - (there[i] ?? 0)).find((by) => by !== 0)
    if (isOut || (step ?? 0) < 0) return
    current.set(id, kept)
    if (kept.text !== null) everHad.set(id, [...(everHad.get(id) ?? []), kept.text])
  }
  const look = (id: string, choice: Choice): string | null => {
    const had = everHad.get(id) ?? []
    if (isOut || choice === 2) return null
    return choice < 2 ? (current.get(id)?.text ?? null) : (had[choice % had.length] ?? null)
  }

  return {
    flush: () => current.clear(),
    setOut: (out: boolean) => {
      isOut = out
    },
    /** As one process sees it. */
    seenBy: (pending: Pending): SharedCache => ({
      get: (id) =>
        new Promise((resolve) => {
          let found: string | null = null
          pending.add({
            steps: [
              (choice) => {
                found = look(id, choice)
              },
              () => resolve(found === null ? null : (JSON.parse(found) as Entry<unknown>)),
            ],
            lose: () => resolve(null),
          })
        }),
      put: (id, entry) => {
        const head = entry.versions.map(([, version]) => version)
        const text = JSON.stringify(entry)
        pending.add({ steps: [() => put(id, { head, text })], lose: () => {} })
      },
      drop: (id) => {
        const head = [Number.MAX_SAFE_INTEGER, 0]
        pending.add({ steps: [() => put(id, { head, text: null })], lose: () => {} })
      },
      count: async () => null,
      status: () => ({ state: 'connected' }),
      close: async () => {},
    }),
  }
}

export type SimulatedSharedCache = ReturnType<typeof createSimulatedSharedCache>
