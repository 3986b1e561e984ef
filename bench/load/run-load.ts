import { setTimeout as sleep } from 'node:timers/promises'
import { type HttpAnswer, openHttpConnection } from './http-connection.ts'

/** A request, and what has to be true of its answer. */
export interface Exchange {
  request: string
  /** Throws unless the answer is the right one: speed in giving wrong answers is no speed. */
  check(answer: HttpAnswer): void
}

export interface Load {
  address: string
  connections: number
  seconds: number
  /** Called once for each request; null when there are no more. */
  next(): Exchange | null
  /** At this rate altogether. Without it, each connection asks again as soon as it is answered. */
  requestsPerSecond?: number
}

export interface LoadResult {
  requestsPerSecond: number
  /** Of each answer. At a fixed rate, counted from when the request was due. */
  latenciesMs: number[]
}

/** Asks for a while, and waits for the last answers: what was asked is never left half done. */
export async function runLoad(load: Load): Promise<LoadResult> {
  const connections = await Promise.all(
    Array.from({ length: load.connections }, () => openHttpConnection(load.address)),
  )
  const latenciesMs: number[] = []
  const startMs = performance.now()
  const endMs = startMs + load.seconds * 1000
  const intervalMs =
    load.requestsPerSecond === undefined ? null : (1000 * load.connections) / load.requestsPerSecond
  try {
    await Promise.all(
      connections.map(async (connection, index) => {
        let dueMs = startMs + ((intervalMs ?? 0) * index) / load.connections
        for (;;) {
          const askedMs = intervalMs === null ? performance.now() : await untilDue(dueMs)
          dueMs += intervalMs ?? 0
          if (askedMs > endMs) return
          const exchange = load.next()
          if (exchange === null) return
          const answer = await connection.exchange(exchange.request)
          const answeredMs = performance.now()
          exchange.check(answer)
          if (answeredMs <= endMs) latenciesMs.push(answeredMs - askedMs)
        }
      }),
    )
  } finally {
    for (const connection of connections) connection.close()
  }
  return { requestsPerSecond: latenciesMs.length / load.seconds, latenciesMs }
}

/**
 * Returns the time a request counts from. One that is late because the answer before it was late
 * counts from when it was due, or a server that stalls would be asked less and look better
 * ("coordinated omission"); one that a timer has woken up late for counts from now.
 */
async function untilDue(dueMs: number): Promise<number> {
  const waitMs = dueMs - performance.now()
  if (waitMs <= 0) return dueMs
  await sleep(waitMs)
  return performance.now()
}
