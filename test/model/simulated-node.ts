/** One node: the real cache and trust, on a simulated clock, network and listening connection. */
import { createCachedReads } from '../../server/src/ground/cache/cached-reads.ts'
import { type Entry, GONE, judge } from '../../server/src/ground/cache/protocol.ts'
import { createTrust } from '../../server/src/ground/cache/trust.ts'
import type { Clock } from '../../server/src/ground/clock.ts'
import { createPending } from './pending.ts'
import { type ConnectionRules, createSimulatedConnections } from './simulated-connections.ts'
import { createSimulatedListener } from './simulated-listener.ts'
import {
  type Change,
  type Commit,
  rowOfSession,
  rowOfUser,
  type SimulatedPostgres,
  type States,
  sessionIds,
} from './simulated-postgres.ts'
import type { SimulatedSharedCache } from './simulated-shared-cache.ts'

/** What nodes are made of. The tests take a rule out here, to see that it is missed. */
export interface Parts extends ConnectionRules {
  judge: typeof judge
  createTrust: typeof createTrust
  createCachedReads: typeof createCachedReads<States>
  hearsOwnChanges: boolean
  sealsWithLineage: boolean
  mostEntries: number
  mostFloors: number
}

export const realParts: Parts = {
  judge,
  createTrust,
  createCachedReads,
  hearsOwnChanges: true,
  refusesStandbys: true,
  refusesOlderTimelines: true,
  discardsOlderConnections: true,
  losesTrustWithNewTimeline: true,
  sealsWithLineage: true,
  // Few, so that both are full all the time.
  mostEntries: 2,
  mostFloors: 2,
}

export interface World {
  now(): number
  shared: SimulatedSharedCache | null
  parts: Parts
}

export function createSimulatedNode(
  { now, shared, parts }: World,
  firstRoute: SimulatedPostgres,
  wallOffsetMs: number,
) {
  let isPaused = false
  let sleepsSince: number | null = null
  let sleptMs = 0
  let isSuspended = false
  /** When it last went on after it had been suspended. */
  let wentOnAt = Number.NEGATIVE_INFINITY
  let wallMs = wallOffsetMs
  /** Where its connections lead that it makes from now on. */
  let route = firstRoute
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
    const trust = parts.createTrust(clock, parts.mostFloors, parts.judge)
    let leavesOlder = false
    const connections = createSimulatedConnections(
      parts,
      () => route,
      () => {
        if (parts.losesTrustWithNewTimeline) trust.lose()
        leavesOlder = true
        if (parts.discardsOlderConnections) listener.giveUp()
        leavesOlder = false
      },
    )
    const lineageNow = () => (parts.sealsWithLineage ? connections.lineage() : '')
    const listener = createSimulatedListener(
      trust,
      monotonic,
      connections.reach,
      () => !leavesOlder,
    )
    const reads = parts.createCachedReads(
      trust,
      shared?.seenBy(pending, lineageNow) ?? null,
      parts.mostEntries,
    )
    return { pending, trust, reads, connections, listener }
  }
  let running = boot()

  /** A reading of Postgres in three steps: its transaction begins, it looks, its answer comes. */
  const read = (look: (on: SimulatedPostgres, beganAt: number) => Seen) =>
    new Promise<Seen>((resolve, reject) => {
      const connection = running.connections.take()
      if (connection === null) return reject(lost)
      let beganAt = 0
      let seen: Seen = null
      const steps = [
        () => {
          beganAt = connection.server.time()
        },
        () => {
          seen = look(connection.server, beganAt)
        },
        () => resolve(seen),
      ]
      running.pending.add({
        steps: steps.map((step) => () => (connection.isGood() ? step() : 'lost')),
        lose: () => reject(lost),
      })
    })

  const wakeUp = () => {
    if (!isPaused) return
    if (sleepsSince !== null) sleptMs += now() - sleepsSince
    if (sleepsSince !== null && isSuspended) {
      wallMs -= now() - sleepsSince
      wentOnAt = now()
    }
    isPaused = false
    sleepsSince = null
  }

  return {
    pending: () => running.pending,
    status: () => running.reads.status(),
    timeline: () => running.connections.timeline(),

    find: (session: number) =>
      running.reads.find(sessionIds[session] as string, () =>
        read((on, beganAt) => on.read(session, beganAt)),
      ),
    /** Writes that a session was seen, and keeps what that brings, as `touchSession` does. */
    visit: (session: number) => {
      const keep = running.reads.begin()
      const visited = read((on, beganAt) => {
        if (on.isUsable(session) && !on.isStandby()) on.visit(session)
        return on.read(session, beganAt)
      })
      visited.then(
        (entry) => keep(sessionIds[session] as string, entry),
        () => {},
      )
    },
    /**
     * Begins to commit, is seen, answers.
     * @param answered called when this node has answered whoever asked for the change
     */
    change: (
      session: number,
      { kind, isSlow }: { kind: 'user' | 'session' | 'end'; isSlow: boolean },
      answered: (change: Change) => void,
    ) => {
      const { trust, reads, pending, connections } = running
      const row = kind === 'user' ? rowOfUser(session) : rowOfSession(session)
      const connection = connections.take()
      if (connection === null || connection.server.isStandby()) return
      let commit: Commit | null = null
      let done: ReturnType<Commit['finish']> = null
      const finish = () => {
        done ??= commit?.finish() ?? null
        return done === null ? 'lost' : undefined
      }
      const begin = () => {
        if (!connection.isGood()) return 'lost'
        commit = connection.server.beginCommit(row, kind === 'end' ? 'end' : 'change')
        if (commit === null) return 'waits'
        return isSlow ? undefined : finish()
      }
      const answer = () => {
        if (!connection.isGood() || done === null) return 'lost'
        if (parts.hearsOwnChanges) {
          trust.hear({ row, version: kind === 'end' ? GONE : done.version })
          if (kind === 'end') reads.drop(sessionIds[session] as string)
        }
        answered(done.change)
      }
      // Postgres commits whether or not anybody waits for it.
      pending.add({ steps: isSlow ? [begin, finish, answer] : [begin, answer], lose: finish })
    },

    hold: (held: boolean) => {
      isHeld = held
    },
    /** A slow connection goes on: the server by so many half statements, then so many messages come. */
    trickle: (serve: number, deliver: number) => {
      const connection = running.listener.connection()
      for (let i = 0; i < serve; i += 1) connection?.serve()
      if (!isPaused) connection?.deliver(deliver)
    },
    /** One that is not slow brings what there is. Returns whether there was anything. */
    settle: (): boolean => {
      const connection = running.listener.connection()
      if (connection === null || isHeld) return false
      const hasServed = connection.serve()
      const hasDelivered = !isPaused && connection.deliver(Number.POSITIVE_INFINITY)
      return hasServed || hasDelivered
    },
    /** The server hangs up. The node may not hear of it, and then finds out by itself. */
    cut: (isNoticed: boolean) => {
      running.listener.connection()?.cut()
      if (isNoticed && !isPaused) running.listener.giveUp()
    },
    lead: (to: SimulatedPostgres, isAtOnce: boolean) => {
      route = to
      if (isAtOnce) running.connections.recycle()
    },
    tick: () => {
      if (!isPaused) running.listener.tick()
    },

    isRunning: () => !isPaused,
    /** @param how stopped: the process alone; asleep: the machine, whose monotonic clock stands still; suspended: all its clocks do */
    pause: (how: 'stopped' | 'asleep' | 'suspended') => {
      if (isPaused) return
      isPaused = true
      isSuspended = how === 'suspended'
      sleepsSince = how === 'stopped' ? null : now()
    },
    resume: wakeUp,
    wentOnAt: () => wentOnAt,
    setWall: (byMs: number) => {
      wallMs += byMs
    },
    restart: () => {
      running.listener.connection()?.cut()
      running.pending.loseAll()
      wakeUp()
      running = boot()
    },
  }
}

type Seen = Entry<States> | null

/** One for all: making one takes longer than a reading. */
const lost = new Error('lost')

export type SimulatedNode = ReturnType<typeof createSimulatedNode>
