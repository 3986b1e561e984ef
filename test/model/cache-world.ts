/** A few nodes, a database and perhaps a shared cache, that live through a schedule step by step. */
import { setImmediate as turn } from 'node:timers/promises'
import { TRUST_MS } from '../../server/src/ground/cache/protocol.ts'
import type { Schedule, Step } from './schedule.ts'
import { createSimulatedNode, type Parts, type SimulatedNode } from './simulated-node.ts'
import {
  type Change,
  createSimulatedPostgres,
  rowOfSession,
  rowOfUser,
  type States,
} from './simulated-postgres.ts'
import { createSimulatedSharedCache } from './simulated-shared-cache.ts'

interface Asked {
  at: number
  order: number
}

interface Answered {
  change: Change
  by: SimulatedNode
  /** Its place in the order of what begins and what is answered. */
  order: number
}

/** What the nodes that are running at the end have done. */
export interface Outcome {
  hits: number
  sharedHits: number
  reads: number
  answers: number
}

export async function createWorld({ nodes: count, hasShared }: Schedule, parts: Parts) {
  let now = 1_000_000
  let order = 0
  const postgres = createSimulatedPostgres(() => now)
  const shared = hasShared ? createSimulatedSharedCache() : null
  const world = { now: () => now, postgres, shared, parts }
  const nodes = Array.from({ length: count }, (_, i) => createSimulatedNode(world, i * 7_200_000))
  const answered: Answered[] = []
  const broken: string[] = []
  let answers = 0

  /** The promise. */
  const check = (node: SimulatedNode, session: number, asked: Asked, value: States | null) => {
    answers += 1
    if (value === null) {
      if (postgres.isUsable(session)) broken.push(`session ${session} was usable, and not found`)
      return
    }
    for (const change of postgres.changes) {
      const seen = value[change.row]
      if (seen === undefined || seen >= change.state) continue
      if (asked.at > change.committedAt + TRUST_MS)
        broken.push(`${asked.at - change.committedAt} ms after a change of ${change.row}`)
      if (answered.some((a) => a.change === change && a.by === node && a.order < asked.order))
        broken.push(`after the answer of the node that had changed ${change.row}`)
    }
  }
  const request = (node: SimulatedNode, session: number) => {
    if (!node.isRunning()) return
    order += 1
    const asked = { at: now, order }
    node.find(session).then(
      (value) => check(node, session, asked, value),
      () => {},
    )
  }
  const finish = (node: SimulatedNode, from: number, choice: number): boolean =>
    node.pending().count() > from && node.pending().advance(from, choice)

  /** Everything that is not slow happens; `prompt` and what it asked for, too. */
  const settle = async (prompt: SimulatedNode | null, from: number, choice: number) => {
    for (let goesOn = true; goesOn; ) {
      await turn()
      goesOn = false
      for (const node of nodes) if (node.settle()) goesOn = true
      if (prompt !== null && finish(prompt, from, choice)) goesOn = true
    }
  }
  const pass = async (ms: number) => {
    for (const until = now + ms; now < until; ) {
      now += 250
      for (const node of nodes) node.tick()
      await settle(null, 0, 0)
    }
  }

  const doStep = async ([kind, place, session, choice]: Step) => {
    const node = nodes[place % count] as SimulatedNode
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
        if (node.isRunning())
          node.change(session, choice < 40 ? 'user' : choice < 52 ? 'session' : 'end', (change) => {
            order += 1
            answered.push({ change, by: node, order })
          })
        break
      case 'changeElsewhere':
        if (choice < 5) postgres.changeEverything()
        else if (choice < 10) postgres.change(rowOfSession(session), 'delete')
        else postgres.change(choice < 35 ? rowOfUser(session) : rowOfSession(session), 'change')
        break
      case 'visit':
        isPrompt = choice % 2 === 0
        if (node.isRunning()) node.visit(session)
        break
      case 'pass':
        await pass(250 * (1 + (choice % 6)))
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
        // No node's machine both sleeps and has its clock set: if the two cancelled out, no clock could tell.
        if (choice < 30) node.pause(place % 2 === 1)
        else node.resume()
        break
      case 'setWall':
        if (place % 2 === 0) node.setWall((choice - 30) * 1_000)
        break
      case 'restart':
        node.restart()
        break
      case 'shared':
        if (choice < 20) shared?.flush()
        else shared?.setOut(choice < 40)
        break
    }
    await settle(isPrompt ? node : null, from, choice)
  }

  const heal = async () => {
    shared?.setOut(false)
    for (const node of nodes) {
      node.resume()
      node.hold(false)
    }
    for (const node of nodes) await settle(node, 0, 0)
    await pass(4_500)
  }
  /** Asked for twice in a row, a session comes from the cache the second time. */
  const checkBelief = async () => {
    for (const node of nodes) {
      for (const session of [0, 1, 2].filter(postgres.isUsable)) {
        for (const _ of [1, 2]) {
          request(node, session)
          await settle(node, 0, 0)
        }
        const before = node.status().hits
        request(node, session)
        await turn()
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

  await pass(250)
  return { doStep, heal, checkBelief, broken, outcome, postgres, nodes }
}

/** Lives through a schedule, heals, and is used again. @throws Error that says which promise was broken */
export async function live(schedule: Schedule, parts: Parts): Promise<Outcome> {
  const { doStep, heal, checkBelief, broken, outcome } = await createWorld(schedule, parts)
  const stopIfBroken = () => {
    if (broken.length > 0) throw new Error(`served stale: ${broken.join('; ')}`)
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
