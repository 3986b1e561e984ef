/**
 * The promise of the cache, on thousands of random schedules: nothing is served that was changed more
 * than two seconds before it was asked for, and on the node that changed it, before its answer.
 *
 * The cache is the real one; the world around it is simulated (test/model). A schedule that breaks the
 * promise is printed with its seed, and cut down.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createWorld, live, type Outcome } from '../../../../test/model/cache-world.ts'
import { anySchedule, calmSchedule } from '../../../../test/model/schedule.ts'
import { type Parts, realParts } from '../../../../test/model/simulated-node.ts'
import type { Trust } from './trust.ts'

const SCHEDULES = 4_000

/** A rule that is missing is noticed long before: mostly within a hundred, the rarest within a thousand or two. */
const SCHEDULES_TO_NOTICE = 12_000

describe('whatever happens in whatever order', () => {
  test('nothing is served past the promise, and the cache works again afterwards', async () => {
    const sum: Outcome = { hits: 0, sharedHits: 0, reads: 0, answers: 0 }
    await fc.assert(
      fc.asyncProperty(anySchedule, async (schedule) => {
        const outcome = await live(schedule, realParts)
        for (const key of Object.keys(sum) as (keyof Outcome)[]) sum[key] += outcome[key]
      }),
      { numRuns: SCHEDULES },
    )
    // A cache that believes nothing would keep the promise, too.
    assert.ok(sum.hits > sum.answers / 4, `${sum.hits} of ${sum.answers} from this process`)
    assert.ok(sum.sharedHits > SCHEDULES, `${sum.sharedHits} from the shared cache`)
  })

  test('while nothing breaks, what has been read is read again only when it has changed', async () => {
    await fc.assert(
      fc.asyncProperty(calmSchedule, async (schedule) => {
        const { doStep, broken, outcome, postgres } = await createWorld(
          { ...schedule, steps: [] },
          { ...realParts, mostEntries: 10, mostFloors: 1_000 },
        )
        for (const [kind, node, session] of schedule.steps) await doStep([kind, node, session, 16])
        assert.deepEqual(broken, [])
        // Each of three sessions once, and again after a change, which may be of two of them.
        assert.ok(outcome().reads <= schedule.nodes * (3 + 2 * postgres.changes.length))
      }),
      { numRuns: 500 },
    )
  })
})

const withTrust = (change: (trust: Trust) => Partial<Trust>): Partial<Parts> => ({
  createTrust: (clock, most) => {
    const trust = realParts.createTrust(clock, most)
    return { ...trust, ...change(trust) }
  },
})

const rules: Record<string, Partial<Parts>> = {
  'the floor': withTrust((trust) => ({
    judge: (entry) => {
      const verdict = trust.judge(entry)
      return verdict === 'below_floor' ? 'believed' : verdict
    },
  })),
  'the horizon': withTrust((trust) => ({
    judge: (entry) => trust.judge({ ...entry, readAt: Number.POSITIVE_INFINITY }),
    hears: () => trust.status().silentForMs !== null,
  })),
  'the heartbeat': {
    createTrust: (clock, most) => realParts.createTrust({ ...clock, since: () => 0 }, most),
  },
  'that a heartbeat counts from when it was sent': withTrust((trust) => ({
    heartbeat: () => (databaseNow) => trust.heartbeat()(databaseNow),
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
      judge: (entry) => {
        const verdict = kept.has(entry) ? 'believed' : trust.judge(entry)
        if (verdict === 'believed') kept.add(entry)
        return verdict
      },
    }
  }),
}

describe('that is so only with', () => {
  for (const [rule, without] of Object.entries(rules))
    test(rule, async () => {
      const found = await fc.check(
        fc.asyncProperty(anySchedule, async (schedule) => {
          await live(schedule, { ...realParts, ...without })
        }),
        { numRuns: SCHEDULES_TO_NOTICE, endOnFailure: true },
      )
      assert.ok(found.failed, 'no schedule has noticed that this is missing')
      assert.match(String(found.errorInstance), /served stale/)
    })
})
