/** One node: the real cache and trust, on a simulated clock, network and listening connection. */
import { createCachedReads } from '../../server/src/ground/cache/cached-reads.ts'
import { GONE, readNotice } from '../../server/src/ground/cache/protocol.ts'
import { createTrust } from '../../server/src/ground/cache/trust.ts'
import type { Clock } from '../../server/src/ground/clock.ts'
import { createPending } from './pending.ts'
import {
  type Change,
  type Connection,
  rowOfSession,
  rowOfUser,
  type SimulatedPostgres,
  type States,
  sessionIds,
} from './simulated-postgres.ts'
import type { SimulatedSharedCache } from './simulated-shared-cache.ts'

const HEARTBEAT_EVERY_MS = 750
const GIVE_UP_MS = 2_500
const CONNECT_AGAIN_MS = 50

/** What nodes are made of. The tests take a rule out here, to see that it is missed. */
export interface Parts {
  createTrust: typeof createTrust
  createCachedReads: typeof createCachedReads<States>
  hearsOwnChanges: boolean
  mostEntries: number
  mostFloors: number
}

export const realParts: Parts = {
  createTrust,
  createCachedReads,
  hearsOwnChanges: true,
  // Few, so that both are full all the time.
  mostEntries: 2,
  mostFloors: 2,
}

export interface World {
  now(): number
  postgres: SimulatedPostgres
  shared: SimulatedSharedCache | null
  parts: Parts
}

export function createSimulatedNode({ now, postgres, shared, parts }: World, wallOffsetMs: number) {
  let isPaused = false
  let sleepsSince: number | null = null
  let sleptMs = 0
  let wallMs = wallOffsetMs
  /** The listening connection is slow: what it brings comes only when the schedule says so. */
  let isHeld = false

  const monotonic = () => now() - sleptMs
  const wall = () => now() + wallMs
  /** As `createClock` has it. */
  const clock: Clock = {
    now: () => new Date(wall()),
    instant: () => ({ monotonicMs: monotonic(), wallMs: wall() }),
    since: (then) => Math.max(monotonic() - then.monotonicMs, Math.abs(wall() - then.wallMs)),
  }

  const boot = () => {
    const pending = createPending(() => !isPaused)
    const trust = parts.createTrust(clock, parts.mostFloors)
    const reads = parts.createCachedReads(trust, shared?.seenBy(pending) ?? null, parts.mostEntries)
    return { pending, trust, reads, listener: createListener() }
  }

  /** Does what `openListener` does. */
  const createListener = () => ({
    connection: null as Connection | null,
    connectAt: monotonic(),
    heartbeatAt: 0,
    lastCame: 0,
  })
  const heartbeat = async (on: Connection) => {
    const { listener, trust } = running
    listener.heartbeatAt = monotonic() + HEARTBEAT_EVERY_MS
    const arrive = trust.heartbeat()
    const databaseNow = await on.ask('heartbeat')
    listener.lastCame = monotonic()
    arrive(databaseNow)
  }
  const connect = async () => {
    const { listener, trust } = running
    const connection = postgres.connect((text) => {
      const notice = readNotice(text)
      if (notice !== null) trust.hear(notice)
    })
    listener.connection = connection
    listener.heartbeatAt = Number.POSITIVE_INFINITY
    listener.lastCame = monotonic()
    await connection.ask('listen')
    await heartbeat(connection)
  }
  const giveUp = () => {
    const { listener, trust } = running
    listener.connection?.cut()
    listener.connection = null
    listener.connectAt = monotonic() + CONNECT_AGAIN_MS
    trust.lose()
  }

  let running = boot()

  /** A reading of Postgres in three steps: it begins, it looks, its answer comes. */
  const read = (session: number, look: (readAt: number) => ReturnType<typeof postgres.read>) =>
    new Promise<ReturnType<typeof postgres.read>>((resolve, reject) => {
      let readAt = 0
      let seen: ReturnType<typeof postgres.read> = null
      running.pending.add({
        steps: [
          () => {
            readAt = postgres.databaseNow()
          },
          () => {
            seen = look(readAt)
          },
          () => resolve(seen),
        ],
        lose: () => reject(new Error(`lost the reading of session ${session}`)),
      })
    })

  return {
    pending: () => running.pending,
    status: () => running.reads.status(),

    find: (session: number) =>
      running.reads.find(sessionIds[session] as string, () =>
        read(session, (readAt) => postgres.read(session, readAt)),
      ),
    /** Writes that a session was seen, and keeps what that brings, as `touchSession` does. */
    visit: (session: number) => {
      const { reads } = running
      const visited = read(session, (readAt) => {
        if (postgres.isUsable(session)) postgres.visit(session)
        return postgres.read(session, readAt)
      })
      visited.then(
        (entry) => entry !== null && reads.keep(sessionIds[session] as string, entry),
        () => {},
      )
    },
    /** @param answered called when this node has answered whoever asked for the change */
    change: (
      session: number,
      kind: 'user' | 'session' | 'end',
      answered: (change: Change) => void,
    ) => {
      const { trust, reads, pending } = running
      const row = kind === 'user' ? rowOfUser(session) : rowOfSession(session)
      let done: ReturnType<typeof postgres.change> | null = null
      pending.add({
        steps: [
          () => {
            done = postgres.change(row, kind === 'end' ? 'end' : 'change')
          },
          () => {
            if (done === null) return
            if (parts.hearsOwnChanges) {
              trust.hear({ row, version: kind === 'end' ? GONE : done.version })
              if (kind === 'end') reads.drop(sessionIds[session] as string)
            }
            answered(done.change)
          },
        ],
        lose: () => {},
      })
    },

    hold: (held: boolean) => {
      isHeld = held
    },
    /** A slow connection goes on: the server by so many half statements, then so many messages come. */
    trickle: (serve: number, deliver: number) => {
      const { connection } = running.listener
      for (let i = 0; i < serve; i += 1) connection?.serve()
      if (!isPaused) connection?.deliver(deliver)
    },
    /** One that is not slow brings what there is. Returns whether there was anything. */
    settle: (): boolean => {
      const { connection } = running.listener
      if (connection === null || isHeld) return false
      const hasServed = connection.serve()
      const hasDelivered = !isPaused && connection.deliver(Number.POSITIVE_INFINITY)
      return hasServed || hasDelivered
    },
    /** The server hangs up. The node may not hear of it, and then finds out by itself. */
    cut: (isNoticed: boolean) => {
      running.listener.connection?.cut()
      if (isNoticed && !isPaused) giveUp()
    },
    tick: () => {
      const { listener } = running
      if (isPaused) return
      if (listener.connection === null) {
        if (monotonic() >= listener.connectAt) void connect()
      } else if (monotonic() - listener.lastCame > GIVE_UP_MS) giveUp()
      else if (monotonic() >= listener.heartbeatAt) void heartbeat(listener.connection)
    },

    isRunning: () => !isPaused,
    /** @param asleep the whole machine sleeps: a monotonic clock stands still */
    pause: (asleep: boolean) => {
      if (isPaused) return
      isPaused = true
      sleepsSince = asleep ? now() : null
    },
    resume: () => {
      if (!isPaused) return
      if (sleepsSince !== null) sleptMs += now() - sleepsSince
      isPaused = false
      sleepsSince = null
    },
    setWall: (byMs: number) => {
      wallMs += byMs
    },
    restart: () => {
      running.listener.connection?.cut()
      isPaused = false
      sleepsSince = null
      running = boot()
    },
  }
}

export type SimulatedNode = ReturnType<typeof createSimulatedNode>
