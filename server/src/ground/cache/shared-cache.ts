import type { DerivedKeys } from '../crypto/derive-keys.ts'
import type { Secret } from '../crypto/secret.ts'
import { loadOptional, type OptionalPart } from '../load-optional.ts'
import type { Log } from '../log.ts'
import { type Entry, GREATEST_AGE_MS } from './protocol.ts'
import { type EntryName, nothing, openEntry, sealEntry } from './sealed-entry.ts'

/**
 * What all nodes share: Valkey or Redis. It makes things faster and is trusted with nothing: entries are
 * sealed, so it can neither read nor forge them, and an old one that it hands out is judged like any
 * other. While it is gone, slow or full, every get is a miss and every put is lost.
 */
export interface SharedCache {
  get(id: string): Promise<Entry<unknown> | null>
  /** Writes, unless something newer is there. Nothing waits for it. */
  put(id: string, entry: Entry<unknown>): void
  /** Takes away what is there, for good. Nothing waits for it. */
  drop(id: string): void
  /** Counts one more of something, and says how many there have been since `windowMs` ago. Null when it cannot. */
  count(key: string, windowMs: number): Promise<{ count: number; resetMs: number } | null>
  status(): { state: 'connected' | 'unreachable' | 'slow' }
  close(): Promise<void>
}

/** How long a request waits for it. */
const WAIT_MS = 100

/** How long it is left alone after it has been too slow. */
const PAUSE_MS = 1_000

/** How long an entry stays there unless it is written again. */
const KEEP_MS = GREATEST_AGE_MS

/** Each history has names of its own: what is newer in one does not stand in the way of another. */
const keyOf = ({ id, lineage }: EntryName) => `pie:session:${lineage}:${id}`

export const valkeyClient: OptionalPart = { what: 'CACHE_URL', packages: ['@redis/client'] }

/**
 * @param lineageNow which history of which database this node reads: the same text on all nodes that read the same.
 *   Empty while it is not known
 * @throws OperatorError where the client of it is not installed
 */
export async function openSharedCache(
  url: Secret,
  keys: readonly [DerivedKeys, ...DerivedKeys[]],
  lineageNow: () => string,
  log: Log,
): Promise<SharedCache> {
  const { createValkeyClient, asBinary } = await loadOptional(
    valkeyClient,
    () => import('./valkey-client.ts'),
  )
  const client = createValkeyClient(url)
  const binary = asBinary(client)
  let pausedUntil = 0
  /** It has been too slow, and has not answered anything since. */
  let isSilent = false
  const answers = () => {
    isSilent = false
  }

  const reading = createTrouble(log, 'the shared cache cannot be read; Pie goes on without it')
  const writing = createTrouble(log, 'the shared cache takes nothing; Pie goes on without it')
  client.on('error', reading.begin)
  client.on('ready', () => {
    answers()
    reading.end()
  })
  client.on('ping-interval', answers)
  const attempted = new Promise<unknown>((resolve) => {
    client.once('connect', resolve)
    client.once('error', resolve)
  })
  // Resolves when it is connected; until then, and if never, everything is a miss.
  client.connect().catch(reading.begin)

  // One that is silent is asked nothing more but the client's own pings: the socket counts as idle, and is
  // given up, only when nothing is written to it.
  const isUsable = () => client.isReady && !isSilent && Date.now() >= pausedUntil

  /** Null when it is not there, says no, or takes too long. */
  const attempt = async <T>(trouble: Trouble, ask: () => Promise<T>): Promise<T | null> => {
    if (!isUsable()) return null
    let isSettled = false
    let timer: NodeJS.Timeout | undefined
    const tooLate = new Promise<never>((_, reject) => {
      const giveUp = () => {
        if (isSettled) return
        pausedUntil = Date.now() + PAUSE_MS
        isSilent = true
        reject(new Error(`the shared cache has not answered within ${WAIT_MS} ms`))
      }
      // What has come meanwhile is looked at first: it may be this node that stood still.
      timer = setTimeout(() => setImmediate(giveUp), WAIT_MS)
    })
    const asking = ask()
    asking.then(answers, answers)
    try {
      const answer = await Promise.race([asking, tooLate])
      trouble.end()
      return answer
    } catch (error) {
      trouble.begin(error)
      return null
    } finally {
      isSettled = true
      clearTimeout(timer)
    }
  }

  const nameOf = (id: string): EntryName => ({ id, lineage: lineageNow() })
  const put = (name: EntryName, value: Buffer) =>
    void attempt(writing, () => client.putUpward(keyOf(name), value, KEEP_MS))

  return {
    get: async (id) => {
      const name = nameOf(id)
      const value = (await attempt(reading, () => binary.get(keyOf(name)))) as Buffer | null
      return value === null ? null : openEntry(keys, name, value)
    },
    put: (id, entry) => {
      const name = nameOf(id)
      put(name, sealEntry(keys, name, entry))
    },
    drop: (id) => put(nameOf(id), nothing),
    count: async (key, windowMs) => {
      const answer = await attempt(writing, () => client.countOne(`pie:count:${key}`, windowMs))
      const [count, resetMs] = (answer ?? []) as number[]
      return count === undefined || resetMs === undefined ? null : { count, resetMs }
    },
    status: () => ({
      state: !client.isReady ? 'unreachable' : isUsable() ? 'connected' : 'slow',
    }),
    close: async () => {
      // What breaks off by it is no trouble.
      reading.stop()
      writing.stop()
      // A client that is destroyed while it makes its first connection leaves that open.
      await attempted
      client.destroy()
    },
  }
}

interface Trouble {
  begin(error: unknown): void
  end(): void
  /** From now on, nothing is said. */
  stop(): void
}

/** Says once when it begins, and once when it is over. */
function createTrouble(log: Log, message: string): Trouble {
  let isOn = false
  let isStopped = false
  return {
    begin: (error) => {
      if (!isOn && !isStopped) log.warn({ err: error }, message)
      isOn = true
    },
    end: () => {
      if (isOn && !isStopped) log.info(`over: ${message.split(';')[0]}`)
      isOn = false
    },
    stop: () => {
      isStopped = true
    },
  }
}
