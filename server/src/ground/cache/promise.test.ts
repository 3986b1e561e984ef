/**
 * The promise of the cache, on thousands of random schedules: nothing is served that was changed more
 * than two seconds before it was asked for, and on the node that changed it, before its answer; where no notice was
 * sent, more than a minute. And the cache works again, soon after everything does.
 *
 * The cache is the real one; the world around it is simulated (test/model). `npm run soak` plays the same by the
 * million; a schedule that has broken the promise there stands below.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { setImmediate as eventLoop } from 'node:timers/promises'
import fc from 'fast-check'
import { brokenBefore } from '../../../../test/model/broken-before.ts'
import { createWorld, live } from '../../../../test/model/cache-world.ts'
import { breachOf } from '../../../../test/model/play.ts'
import { startPlayer } from '../../../../test/model/player.ts'
import { oldOrder, rules } from '../../../../test/model/rules.ts'
import { anySchedule, calmSchedule } from '../../../../test/model/schedule.ts'
import { realParts } from '../../../../test/model/simulated-node.ts'

const SCHEDULES = 4_000

/** A rule that is missing is noticed long before: mostly within a hundred, the rarest within a few thousand. */
const SCHEDULES_TO_NOTICE = 60_000

const player = startPlayer()
after(() => player.stop())
const anySeed = () => randomInt(2 ** 31)

describe('whatever happens in whatever order', () => {
  test('nothing is served past the promise, and the cache works again afterwards', async () => {
    const seed = anySeed()
    const { breach, outcome } = await player.play({ seed, count: SCHEDULES })
    assert.equal(breach, null, `seed ${seed}: ${JSON.stringify(breach)}`)
    // A cache that believes nothing would keep the promise, too.
    assert.ok(outcome.hits > outcome.answers / 4, `${outcome.hits} of ${outcome.answers}`)
    assert.ok(outcome.sharedHits > SCHEDULES, `${outcome.sharedHits} from the shared cache`)
  })

  test('while nothing breaks, what has been read is read again only when it has changed', async () => {
    await fc.assert(
      fc.asyncProperty(calmSchedule, async (schedule) => {
        const roomy = { ...realParts, mostEntries: 10, mostFloors: 1_000 }
        const { doStep, broken, outcome, changes } = await createWorld(schedule, roomy, eventLoop)
        for (const [kind, node, session] of schedule.steps) await doStep([kind, node, session, 16])
        assert.deepEqual(broken, [])
        // Each of three sessions once, and again after a change, which may be of two of them.
        assert.ok(outcome().reads <= schedule.nodes * (3 + 2 * changes()))
      }),
      { numRuns: 300 },
    )
  })

  test('the simulated world goes on as one does that waits for the event loop', async () => {
    for (const schedule of fc.sample(anySchedule, 50)) {
      const outcome = await live(schedule, realParts)
      assert.deepEqual(await live(schedule, realParts, eventLoop), outcome)
    }
  })
})

describe('what has broken the promise once keeps it:', () => {
  for (const [what, schedule] of Object.entries(brokenBefore))
    test(what, async () => assert.equal(await breachOf(schedule), null))

  test('and the first two still break it by the old rules', async () => {
    for (const schedule of Object.values(brokenBefore).slice(0, 2))
      assert.match(
        (await breachOf(schedule, { ...realParts, ...oldOrder })) ?? '',
        /after a change/,
      )
  })
})

describe('that is so only with', () => {
  for (const rule of Object.keys(rules))
    test(rule, async () => {
      const seed = anySeed()
      const { breach } = await player.play({ seed, count: SCHEDULES_TO_NOTICE, without: rule })
      assert.ok(breach !== null, 'no schedule has noticed that this is missing')
      assert.match(breach.message, /promise broken/)
    })
})
