/** The rules of the cache, and what nodes are made of that do not keep one of them. */
import type { Knowledge, Possession } from '../../server/src/ground/cache/protocol.ts'
import type { Trust } from '../../server/src/ground/cache/trust.ts'
import { type Parts, realParts } from './simulated-node.ts'

const withJudge = (
  change: (held: Possession, knowledge: Knowledge) => [Partial<Possession>, Partial<Knowledge>],
): Partial<Parts> => ({
  judge: (entry, held, knowledge) => {
    const [otherHeld, otherKnowledge] = change(held, knowledge)
    return realParts.judge(entry, { ...held, ...otherHeld }, { ...knowledge, ...otherKnowledge })
  },
})
const horizonOf = (knowledge: Knowledge, change: object) => ({
  horizon: knowledge.horizon === null ? null : { ...knowledge.horizon, ...change },
})
const withTrust = (change: (trust: Trust) => Partial<Trust>): Partial<Parts> => ({
  createTrust: (...given) => {
    const trust = realParts.createTrust(...given)
    return { ...trust, ...change(trust) }
  },
})

export const rules: Record<string, Partial<Parts>> = {
  'the floor': withJudge(() => [{}, { floorOf: () => 0 }]),
  'the horizon': withJudge((_, knowledge) => [
    { isFromBefore: false },
    horizonOf(knowledge, { transaction: 0, time: Number.NEGATIVE_INFINITY }),
  ]),
  'the horizon among transactions, where a clock is set': withJudge((_, knowledge) => [
    {},
    horizonOf(knowledge, { transaction: 0 }),
  ]),
  'the horizon in time, where a crash makes numbers of transactions come again': withJudge(
    (_, knowledge) => [{}, horizonOf(knowledge, { time: Number.NEGATIVE_INFINITY })],
  ),
  'forgetting what was begun before a connection was lost': withJudge(() => [
    { isFromBefore: false },
    {},
  ]),
  'the greatest age': {
    judge: (entry, held, knowledge) => {
      const verdict = realParts.judge(entry, held, knowledge)
      return verdict === 'too_old' ? 'believed' : verdict
    },
  },
  'noticing that the clock of the database was set back': withTrust((trust) => {
    let latest = Number.NEGATIVE_INFINITY
    return {
      heartbeat: () => {
        const arrive = trust.heartbeat()
        return (looked) => {
          latest = Math.max(latest, looked.time)
          arrive({ ...looked, time: latest })
        }
      },
      lose: () => {
        latest = Number.NEGATIVE_INFINITY
        trust.lose()
      },
    }
  }),
  'the heartbeat': withJudge(() => [{}, { silentForMs: 0 }]),
  'that a heartbeat counts from when it was sent': withTrust((trust) => ({
    heartbeat: () => (looked) => trust.heartbeat()(looked),
  })),
  "the changing node's own notice": { hearsOwnChanges: false },
  'verifying a joined reading': {
    createCachedReads: (...parts) => {
      const reads = realParts.createCachedReads(...parts)
      const ongoing = new Map<string, ReturnType<typeof reads.find>>()
      return {
        ...reads,
        find: (id, readTruth) => {
          const found = ongoing.get(id) ?? reads.find(id, readTruth)
          ongoing.set(id, found)
          const over = () => ongoing.get(id) === found && ongoing.delete(id)
          found.then(over, over)
          return found
        },
      }
    },
  },
  'judging again what was believed when it was kept': withTrust((trust) => {
    const kept = new WeakSet<object>()
    return {
      judge: (entry, began) => {
        const verdict = kept.has(entry) ? 'believed' : trust.judge(entry, began)
        if (verdict === 'believed') kept.add(entry)
        return verdict
      },
    }
  }),
  'asking no standby': { refusesStandbys: false },
  'refusing a primary that has been left': { refusesOlderTimelines: false },
  'leaving all connections to it': { discardsOlderConnections: false },
  'losing trust when another has been promoted': { losesTrustWithNewTimeline: false },
  'sealing entries for the history that they were read from': { sealsWithLineage: false },
}

/** As the order of readings was once: by the clock alone, and what looked simultaneous was believed. */
export const oldOrder: Partial<Parts> = {
  judge: (entry, held, knowledge) =>
    realParts.judge(
      { ...entry, readAt: { ...entry.readAt, transaction: Number.MAX_SAFE_INTEGER } },
      { ...held, isFromBefore: false },
      knowledge.horizon === null
        ? knowledge
        : { ...knowledge, horizon: { transaction: 0, time: knowledge.horizon.time - 0.001 } },
    ),
}
