import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { createClock } from '../clock.ts'
import { GONE, GREATEST_AGE_MS, type Moment, TRUST_MS } from './protocol.ts'
import { createTrust } from './trust.ts'

const session = 'session 6f1c1f0e-3d52-4a5e-9d3e-0a4f6d2b7c11'
const other = 'session 7a2d2f1f-4e63-4b6f-8e4f-1b5f7e3c8d22'

/** A node whose clocks stand still until they are moved, and the database's time is whatever it is told. */
function startNode(t: TestContext, mostFloors?: number) {
  let wall = 1_800_000_000_000
  let monotonic = 50_000
  t.mock.method(performance, 'now', () => monotonic)
  const trust = createTrust(
    createClock(() => new Date(wall)),
    mostFloors,
  )
  return {
    trust,
    pass: (ms: number) => {
      wall += ms
      monotonic += ms
    },
    /** The wall clock alone goes on: the machine sleeps, or the clock is set. */
    setWall: (ms: number) => {
      wall += ms
    },
    /** The monotonic clock alone goes on: the wall clock was set back meanwhile. */
    passUnseen: (ms: number) => {
      monotonic += ms
    },
    /** What a reading brings that begins now; both counts of the database are one here. */
    judge: (readAt: number, version = 1) => trust.judge(entryOf(readAt, version), trust.begin()),
  }
}

const moment = (at: number): Moment => ({ transaction: at, time: at })
const entryOf = (readAt: number, version = 1) => ({
  versions: [[session, version]] as [string, number][],
  readAt: moment(readAt),
  goodUntil: 1e15,
})

describe('a node that has just begun to listen', () => {
  test('believes nothing until its first heartbeat has come back, then what was read after that', (t) => {
    const { trust, judge } = startNode(t)
    assert.equal(judge(101), 'silent')
    assert.equal(trust.hears(), false)
    const arrive = trust.heartbeat()
    assert.equal(judge(101), 'silent')
    arrive(moment(100))
    assert.equal(trust.hears(), true)
    assert.equal(judge(101), 'believed')
    assert.equal(judge(100), 'before_horizon')
  })

  test('has its horizon where its first heartbeat was, and keeps it there', (t) => {
    const { trust, judge } = startNode(t)
    trust.heartbeat()(moment(100))
    trust.heartbeat()(moment(5_000))
    assert.equal(judge(101), 'believed')
    assert.equal(trust.status().horizon, new Date(100).toISOString())
  })
})

describe('a heartbeat', () => {
  test('is believed for two seconds from when it was sent, not from when it came back', (t) => {
    const { trust, judge, pass } = startNode(t)
    const arrive = trust.heartbeat()
    pass(1_500)
    arrive(moment(100))
    assert.equal(trust.status().silentForMs, 1_500)
    pass(TRUST_MS - 1_500 - 1)
    assert.equal(judge(101), 'believed')
    pass(1)
    assert.equal(judge(101), 'silent')
    assert.equal(trust.hears(), false)
  })

  test('that comes back too late to be believed still says where the horizon is', (t) => {
    const { trust, judge, pass } = startNode(t)
    const arrive = trust.heartbeat()
    pass(50_000)
    arrive(moment(100))
    assert.equal(judge(101), 'silent')
    trust.heartbeat()(moment(50_100))
    assert.equal(judge(101), 'believed')
  })

  test('that comes back late puts off no belief in what is read after the next connection is made', (t) => {
    const { trust, judge, pass } = startNode(t)
    const arrive = trust.heartbeat()
    pass(1_900)
    arrive(moment(101_900))
    trust.lose()
    trust.heartbeat()(moment(101_900))
    assert.equal(judge(101_901), 'believed')
  })

  test('of a connection that was lost says nothing', (t) => {
    const { trust, judge } = startNode(t)
    trust.heartbeat()(moment(100))
    const stale = trust.heartbeat()
    trust.lose()
    stale(moment(200))
    assert.equal(trust.status().silentForMs, null)
    assert.equal(trust.status().horizon, null)
    assert.equal(judge(300), 'silent')
    trust.heartbeat()(moment(300))
    stale(moment(400))
    assert.equal(judge(300), 'before_horizon')
    assert.equal(judge(301), 'believed')
  })
})

describe('a notice', () => {
  test('takes belief away from what is older, and only raises the floor', (t) => {
    const { trust, judge } = startNode(t)
    trust.heartbeat()(moment(100))
    trust.hear({ row: session, version: 5 })
    trust.hear({ row: session, version: 3 })
    assert.equal(judge(101, 4), 'below_floor')
    assert.equal(judge(101, 5), 'believed')
    trust.hear({ row: session, version: GONE })
    trust.hear({ row: session, version: 6 })
    assert.equal(judge(101, 1e15), 'below_floor')
  })

  test('that is heard before the first heartbeat counts afterwards', (t) => {
    const { trust, judge } = startNode(t)
    const arrive = trust.heartbeat()
    trust.hear({ row: session, version: 2 })
    arrive(moment(100))
    assert.equal(judge(101, 1), 'below_floor')
    assert.equal(judge(101, 2), 'believed')
  })

  test('that everything has changed leaves what was read after a heartbeat that was sent after it', (t) => {
    const { trust, judge } = startNode(t)
    trust.heartbeat()(moment(100))
    const sentBefore = trust.heartbeat()
    trust.hear('everything')
    assert.equal(trust.hears(), false)
    sentBefore(moment(200))
    assert.equal(judge(250), 'before_horizon')
    trust.heartbeat()(moment(300))
    assert.equal(judge(300), 'before_horizon')
    assert.equal(judge(301), 'believed')
  })
})

describe('a node that has heard of more changes than it can remember', () => {
  test('believes nothing until a heartbeat that was sent afterwards has come back', (t) => {
    const { trust, judge } = startNode(t, 1)
    trust.heartbeat()(moment(100))
    trust.hear({ row: session, version: 2 })
    const sentBefore = trust.heartbeat()
    trust.hear({ row: other, version: 2 })
    assert.equal(trust.status().floors, 0)
    assert.equal(judge(150, 1), 'before_horizon')
    sentBefore(moment(200))
    assert.equal(judge(250, 1), 'before_horizon')
    trust.heartbeat()(moment(300))
    assert.equal(judge(250, 1), 'before_horizon')
    assert.equal(judge(301, 2), 'believed')
  })

  test('remembers as many as it can, and the same row again is no other', (t) => {
    const { trust, judge } = startNode(t, 1)
    trust.heartbeat()(moment(100))
    trust.hear({ row: session, version: 2 })
    trust.hear({ row: session, version: 3 })
    assert.equal(judge(101, 2), 'below_floor')
    assert.equal(judge(101, 3), 'believed')
  })
})

describe('no clock makes a heartbeat younger than it is', () => {
  test('the machine sleeps: the wall clock goes on while the monotonic one stands still', (t) => {
    const { trust, judge, setWall } = startNode(t)
    trust.heartbeat()(moment(100))
    setWall(TRUST_MS)
    assert.equal(judge(101), 'silent')
  })

  test('the wall clock is set back', (t) => {
    const { trust, judge, setWall } = startNode(t)
    trust.heartbeat()(moment(100))
    setWall(-TRUST_MS)
    assert.equal(judge(101), 'silent')
  })

  test('the wall clock stands still or was set back by what has passed', (t) => {
    const { trust, judge, passUnseen } = startNode(t)
    trust.heartbeat()(moment(100))
    passUnseen(TRUST_MS - 1)
    assert.equal(judge(101), 'believed')
    passUnseen(1)
    assert.equal(judge(101), 'silent')
  })

  test('the heartbeat after the next puts it right: the next looks as if the other clock had been set back', (t) => {
    const { trust, judge, setWall } = startNode(t)
    trust.heartbeat()(moment(100))
    setWall(-3_600_000)
    trust.heartbeat()(moment(850))
    assert.equal(trust.hears(), false)
    trust.heartbeat()(moment(1_600))
    assert.equal(judge(101), 'before_horizon')
    assert.equal(judge(1_601), 'believed')
  })
})

describe('an entry is read again after a minute', () => {
  test('by the clock of the database, whoever has read it', (t) => {
    const { trust, judge, pass } = startNode(t)
    trust.heartbeat()(moment(100))
    pass(GREATEST_AGE_MS)
    trust.heartbeat()(moment(100 + GREATEST_AGE_MS))
    assert.equal(judge(101), 'believed')
    assert.equal(judge(100), 'too_old')
    pass(1)
    assert.equal(judge(101), 'too_old')
  })

  test('by the clocks of this node, though that of the database is slow', (t) => {
    for (const elapse of ['pass', 'passUnseen', 'setWall'] as const) {
      const { trust, ...node } = startNode(t)
      trust.heartbeat()(moment(100))
      const began = trust.begin()
      const beats = GREATEST_AGE_MS / 750
      for (let beat = 1; beat <= beats; beat += 1) {
        assert.equal(trust.judge(entryOf(101), began), 'believed', `${elapse} ${beat}`)
        node[elapse](750)
        trust.heartbeat()(moment(100 + 700 * beat))
      }
      assert.equal(trust.judge(entryOf(101), began), 'too_old', elapse)
    }
  })
})

describe('when the clock of the database is set back', () => {
  test('by less than has passed since it was heard, it is noticed all the same', (t) => {
    for (const elapse of ['pass', 'passUnseen', 'setWall'] as const) {
      const { trust, judge, ...node } = startNode(t)
      trust.heartbeat()(moment(100))
      node[elapse](66_000)
      trust.heartbeat()(moment(100 + 66_000 - 10_000))
      assert.equal(trust.hears(), false, elapse)
      trust.heartbeat()(moment(100 + 66_000))
      assert.equal(judge(60_000), 'before_horizon')
      assert.equal(judge(66_101), 'believed')
    }
  })

  test('nothing that was read before is believed, and what is read then is', (t) => {
    const { trust, pass } = startNode(t)
    const at = (transaction: number, time: number) => ({ transaction, time })
    const judge = (transaction: number, time: number) =>
      trust.judge({ ...entryOf(0), readAt: at(transaction, time) }, trust.begin())
    trust.heartbeat()(at(10, 100_000))
    pass(750)
    trust.heartbeat()(at(11, 40_750))
    assert.equal(trust.hears(), false)
    pass(750)
    trust.heartbeat()(at(12, 41_500))
    assert.equal(judge(11, 99_000), 'from_the_future')
    assert.equal(judge(12, 41_501), 'before_horizon')
    assert.equal(judge(13, 41_501), 'believed')
    // Minutes later, when the clock says again what it said then.
    pass(60_000)
    trust.heartbeat()(at(90, 101_500))
    assert.equal(judge(11, 100_500), 'before_horizon')
  })

  test('while nobody heard, the count of transactions says what is older all the same', (t) => {
    const { trust } = startNode(t)
    trust.lose()
    trust.heartbeat()({ transaction: 20, time: 40_000 })
    const readBefore = { ...entryOf(0), readAt: { transaction: 20, time: 40_050 } }
    assert.equal(trust.judge(readBefore, trust.begin()), 'before_horizon')
  })
})

test('what was begun before a connection was lost is not believed, whatever it says of itself', (t) => {
  const { trust } = startNode(t)
  trust.heartbeat()(moment(100))
  const began = trust.begin()
  assert.equal(trust.judge(entryOf(150), began), 'believed')
  trust.lose()
  // A standby that was promoted: its clock and its count are behind those of the primary that it was read from.
  trust.heartbeat()(moment(90))
  assert.equal(trust.judge(entryOf(150), began), 'before_horizon')
  assert.equal(trust.judge(entryOf(150), trust.begin()), 'believed')
})

test('a node that has lost its connection remembers nothing of what it believed', (t) => {
  const { trust, judge } = startNode(t)
  trust.heartbeat()(moment(100))
  trust.hear({ row: session, version: 2 })
  trust.lose()
  assert.deepEqual(trust.status(), {
    hears: false,
    silentForMs: null,
    horizon: null,
    floors: 0,
    trustMs: 2_000,
  })
  assert.equal(judge(101, 2), 'silent')
  trust.heartbeat()(moment(900))
  assert.equal(judge(900, 2), 'before_horizon')
  assert.equal(judge(901, 1), 'believed')
})
