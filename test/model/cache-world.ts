/** A few nodes, a database and perhaps a shared cache, that live through a schedule step by step. */
import { type Answered, type Asked, findBreach } from './promise.ts'
import type { Schedule, Step } from './schedule.ts'
import { createSimulatedCluster } from './simulated-cluster.ts'
import { createSimulatedNode, type Parts, type SimulatedNode } from './simulated-node.ts'
import {
  rowOfSession,
  rowOfUser,
  type SimulatedPostgres,
  type States,
} from './simulated-postgres.ts'
import { createSimulatedSharedCache } from './simulated-shared-cache.ts'

/** How soon a node believes again that can reach the primary. `protocol.ts` says so. */
const BELIEVES_AGAIN_MS = 4_000

/** What a database's clock may be set by. */
const CLOCK_STEPS_MS = [-3_600_000, -30_000, -5_000, -1_000, -100, 100, 1_000, 30_000, 3_600_000]

/** What may pass unnoticed: less than lies between two heartbeats. */
const MOST_UNNOTICED_MS = 5_000

/** Longer than any chain of promises that one step lets go. A test plays it against the real thing. */
const MICROTASKS = 12

/** Lets everything happen that waits for nothing but its turn. Much faster than the event loop. */
async function turn(): Promise<void> {
  for (let i = 0; i < MICROTASKS; i += 1) await null
}

/** What the nodes that are running at the end have done. */
export interface Outcome {
  hits: number
  sharedHits: number
  reads: number
  answers: number
}

export async function createWorld(
  { nodes: count, hasShared, isClockSet }: Omit<Schedule, 'steps'>,
  parts: Parts,
  takeTurn: () => Promise<unknown> = turn,
) {
  let now = 1_000_000
  let order = 0
  let unnoticedMs = 0
  /** And how far at all. */
  let setMs = 0
  /** A machine whose clocks all stood still has none to hold another against. */
  const unnoticedBy = (node: SimulatedNode) =>
    node.wentOnAt() === Number.NEGATIVE_INFINITY ? unnoticedMs : setMs
  const cluster = createSimulatedCluster(() => now)
  const shared = hasShared ? createSimulatedSharedCache() : null
  const world = { now: () => now, shared, parts }
  const nodes = Array.from({ length: count }, (_, i) =>
    createSimulatedNode(world, cluster.newest(), i * 7_200_000),
  )
  const answered: Answered[] = []
  const broken: string[] = []
  let answers = 0
  let changes = 0

  /** What was read of one that has taken the place of the first, and has been left itself before it was answered, counts too. */
  const knownSince = ({ primary: first }: Asked, last: SimulatedPostgres | undefined) => {
    if (last === undefined) return [first]
    // One that has just been started knows none, and may have come by any.
    const from = first?.timeline() ?? 1
    const between = Math.max(last.timeline() - from, 0)
    return [last, ...Array.from({ length: between }, (_, i) => cluster.of(from + i))]
  }
  /** The promise. It is held against the primaries that the node has known from when it was asked until now. */
  const check = (session: number, asked: Asked, value: States | null) => {
    answers += 1
    const primaryNow = cluster.of(asked.by.timeline())
    if (value === null) {
      if (primaryNow === asked.primary && primaryNow?.isUsable(session))
        broken.push(`session ${session} was usable, and not found`)
      return
    }
    const breaches = knownSince(asked, primaryNow).map((primary) =>
      primary === undefined
        ? 'no primary was known'
        : findBreach(value, asked, primary, answered, unnoticedBy(asked.by)),
    )
    if (!breaches.includes(null)) broken.push(breaches.join(', '))
  }
  const request = (node: SimulatedNode, session: number) => {
    if (!node.isRunning()) return
    order += 1
    const asked = { by: node, at: now, order, primary: cluster.of(node.timeline()) }
    node.find(session).then(
      (value) => check(session, asked, value),
      () => {},
    )
  }
  const finish = (node: SimulatedNode, from: number, choice: number): boolean =>
    node.pending().count() > from && node.pending().advance(from, choice)

  /** What is not slow arrives. Returns whether anything has. */
  const deliver = (): boolean => {
    let hasArrived = false
    for (const node of nodes) if (node.settle()) hasArrived = true
    return hasArrived
  }
  /** Everything that is not slow happens; `prompt` and what it asked for, too. */
  const settle = async (prompt: SimulatedNode | null, from: number, choice: number) => {
    for (let goesOn = true; goesOn; ) {
      await takeTurn()
      goesOn = deliver()
      if (prompt !== null && finish(prompt, from, choice)) goesOn = true
    }
  }
  const pass = async (ms: number, inStepsOf: number) => {
    for (const until = now + ms; now < until; ) {
      now += inStepsOf
      for (const node of nodes) node.tick()
      while (deliver()) await takeTurn()
    }
  }

  const changeElsewhere = (session: number, choice: number) => {
    const primary = cluster.newest()
    primary.finishCommit()
    changes += 1
    const commit =
      choice < 5
        ? primary.beginCommitOfEverything()
        : choice < 10
          ? primary.beginCommit(rowOfSession(session), 'delete')
          : primary.beginCommit(choice < 35 ? rowOfUser(session) : rowOfSession(session), 'change')
    // Some are slow: seen only when the next one comes, or with time.
    if (choice % 5 !== 0) commit?.finish()
  }
  const lead = (node: SimulatedNode, place: number, choice: number) => {
    const to =
      choice < 30
        ? cluster.newest()
        : choice < 45
          ? cluster.standby()
          : cluster.primary(place + choice)
    node.lead(to, choice % 2 === 0)
  }
  const promote = (place: number, choice: number) => {
    const old = cluster.newest()
    // Its clock is another one, and mostly behind.
    cluster.promote([-2_000, -3_600_000, 0, 60_000][choice % 4] as number)
    if (choice < 20) old.die()
    nodes.forEach((node, i) => {
      if ((place >> i) % 2 === 0) node.lead(cluster.newest(), choice % 3 === 0)
    })
  }
  const setDatabaseClock = (choice: number) => {
    const byMs = CLOCK_STEPS_MS[choice % CLOCK_STEPS_MS.length] as number
    if (!isClockSet) return
    cluster.newest().setClock(byMs)
    setMs += Math.abs(byMs)
    if (Math.abs(byMs) <= MOST_UNNOTICED_MS) unnoticedMs += Math.abs(byMs)
  }

  const doStep = async ([kind, place, session, choice]: Step) => {
    const at = place % count
    const node = nodes[at] as SimulatedNode
    const from = node.pending().count()
    let isPrompt = false
    now += 1
    switch (kind) {
      case 'request':
        isPrompt = choice % 2 === 0
        request(node, session)
        break
      case 'advance':
        node.pending().advance(place + session, choice)
        break
      case 'lose':
        node.pending().lose(choice)
        break
      case 'change':
        isPrompt = choice % 2 === 0
        if (!node.isRunning()) break
        changes += 1
        node.change(
          session,
          {
            kind: choice < 40 ? 'user' : choice < 52 ? 'session' : 'end',
            isSlow: choice % 3 === 1,
          },
          (change) => {
            order += 1
            answered.push({ change, by: node, order })
          },
        )
        break
      case 'changeElsewhere':
        changeElsewhere(session, choice)
        break
      case 'changeUntold':
        cluster
          .newest()
          .changeUntold(
            choice < 20 ? rowOfUser(session) : rowOfSession(session),
            choice < 40 ? 'change' : 'delete',
          )
        break
      case 'visit':
        isPrompt = choice % 2 === 0
        if (node.isRunning()) node.visit(session)
        break
      case 'pass':
        await pass(250 * (1 + (choice % 6)), 250)
        break
      case 'passLong':
        cluster.newest().finishCommit()
        await pass(20_000 + 750 * choice, 750)
        break
      case 'hold':
        node.hold(choice < 45)
        break
      case 'trickle':
        node.trickle(choice % 4, (choice >> 2) % 3)
        break
      case 'cut':
        node.cut(choice < 30)
        break
      case 'pause':
        // No machine both sleeps and has its clock set: if the two cancelled out, no clock could tell.
        if (choice < 30) node.pause(at % 2 === 1 ? 'asleep' : 'stopped')
        else node.resume()
        break
      case 'suspend':
        node.pause('suspended')
        break
      case 'setWall':
        if (at % 2 === 0) node.setWall((choice - 30) * 1_000)
        break
      case 'restart':
        node.restart()
        break
      case 'shared':
        if (choice < 20) shared?.flush()
        else shared?.setOut(choice < 40)
        break
      case 'catchUp':
        cluster.catchUp()
        break
      case 'promote':
        promote(place, choice)
        break
      case 'lead':
        lead(node, place, choice)
        break
      case 'crash':
        cluster.newest().crash(!isClockSet)
        break
      case 'setDatabaseClock':
        setDatabaseClock(choice)
        break
    }
    await settle(isPrompt ? node : null, from, choice)
  }

  /** There is one primary, every node can reach it, and nothing is slow. */
  const heal = async () => {
    shared?.setOut(false)
    cluster.leaveOlder()
    cluster.newest().finishCommit()
    for (const node of nodes) {
      node.lead(cluster.newest(), false)
      node.resume()
      node.hold(false)
    }
    for (const node of nodes) await settle(node, 0, 0)
    await pass(BELIEVES_AGAIN_MS, 250)
    now += 1
  }
  /** Asked for twice in a row, a session comes from the cache the second time. */
  const checkBelief = async () => {
    const usable = [0, 1, 2].filter((session) => cluster.newest().isUsable(session))
    for (const node of nodes) {
      for (const session of usable) {
        for (const _ of [1, 2]) {
          request(node, session)
          await settle(node, 0, 0)
        }
        const before = node.status().hits
        request(node, session)
        await takeTurn()
        if (node.status().hits !== before + 1) broken.push('what was just read is not believed')
      }
    }
  }
  const outcome = (): Outcome => {
    const sum = { hits: 0, sharedHits: 0, reads: 0, answers }
    for (const node of nodes) {
      const { hits, sharedHits, reads } = node.status()
      sum.hits += hits
      sum.sharedHits += sharedHits
      sum.reads += reads
    }
    return sum
  }

  await pass(250, 250)
  return { doStep, heal, checkBelief, broken, outcome, changes: () => changes }
}

/** Lives through a schedule, heals, and is used again. @throws Error that says which promise was broken */
export async function live(
  schedule: Schedule,
  parts: Parts,
  takeTurn?: () => Promise<unknown>,
): Promise<Outcome> {
  const { doStep, heal, checkBelief, broken, outcome } = await createWorld(
    schedule,
    parts,
    takeTurn,
  )
  const stopIfBroken = () => {
    if (broken.length > 0) throw new Error(`promise broken: ${broken.join('; ')}`)
  }
  for (const step of schedule.steps) {
    await doStep(step)
    stopIfBroken()
  }
  await heal()
  await checkBelief()
  stopIfBroken()
  return outcome()
}
