import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { createClock } from '../clock.ts'
import { GONE, TRUST_MS } from './protocol.ts'
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
    judge: (readAt: number, version = 1) =>
      trust.judge({ versions: [[session, version]], readAt, goodUntil: wall + 1e9 }),
  }
}

describe('a node that has just begun to listen', () => {
  test('believes nothing until its first heartbeat has come back, then what was read after that', (t) => {
    const { trust, judge } = startNode(t)
    assert.equal(judge(100), 'silent')
    assert.equal(trust.hears(), false)
    const arrive = trust.heartbeat()
    assert.equal(judge(100), 'silent')
    arrive(100)
    assert.equal(trust.hears(), true)
    assert.equal(judge(100), 'believed')
    assert.equal(judge(99.9), 'before_horizon')
  })

  test('has its horizon where its first heartbeat was, and keeps it there', (t) => {
    const { trust, judge } = startNode(t)
    trust.heartbeat()(100)
    trust.heartbeat()(5_000)
    assert.equal(judge(100), 'believed')
    assert.equal(trust.status().horizon, new Date(100).toISOString())
  })
})

describe('a heartbeat', () => {
  test('is believed for two seconds from when it was sent, not from when it came back', (t) => {
    const { trust, judge, pass } = startNode(t)
    const arrive = trust.heartbeat()
    pass(1_500)
    arrive(100)
    assert.equal(trust.status().silentForMs, 1_500)
    pass(TRUST_MS - 1_500 - 1)
    assert.equal(judge(100), 'believed')
    pass(1)
    assert.equal(judge(100), 'silent')
    assert.equal(trust.hears(), false)
  })

  test('that comes back too late to be believed still says where the horizon is', (t) => {
    const { trust, judge, pass } = startNode(t)
    const arrive = trust.heartbeat()
    pass(60_000)
    arrive(100)
    assert.equal(judge(200), 'silent')
    trust.heartbeat()(60_100)
    assert.equal(judge(200), 'believed')
  })

  test('of a connection that was lost says nothing', (t) => {
    const { trust, judge } = startNode(t)
    trust.heartbeat()(100)
    const stale = trust.heartbeat()
    trust.lose()
    stale(200)
    assert.equal(trust.status().silentForMs, null)
    assert.equal(trust.status().horizon, null)
    assert.equal(judge(300), 'silent')
    trust.heartbeat()(300)
    stale(400)
    assert.equal(judge(299), 'before_horizon')
    assert.equal(judge(300), 'believed')
  })
})

describe('a notice', () => {
  test('takes belief away from what is older, and only raises the floor', (t) => {
    const { trust, judge } = startNode(t)
    trust.heartbeat()(100)
    trust.hear({ row: session, version: 5 })
    trust.hear({ row: session, version: 3 })
    assert.equal(judge(100, 4), 'below_floor')
    assert.equal(judge(100, 5), 'believed')
    trust.hear({ row: session, version: GONE })
    trust.hear({ row: session, version: 6 })
    assert.equal(judge(100, 1e15), 'below_floor')
  })

  test('that is heard before the first heartbeat counts afterwards', (t) => {
    const { trust, judge } = startNode(t)
    const arrive = trust.heartbeat()
    trust.hear({ row: session, version: 2 })
    arrive(100)
    assert.equal(judge(100, 1), 'below_floor')
    assert.equal(judge(100, 2), 'believed')
  })

  test('that everything has changed leaves what was read after a heartbeat that was sent after it', (t) => {
    const { trust, judge } = startNode(t)
    trust.heartbeat()(100)
    const sentBefore = trust.heartbeat()
    trust.hear('everything')
    assert.equal(trust.hears(), false)
    sentBefore(200)
    assert.equal(judge(250), 'before_horizon')
    trust.heartbeat()(300)
    assert.equal(judge(299), 'before_horizon')
    assert.equal(judge(300), 'believed')
  })
})

describe('a node that has heard of more changes than it can remember', () => {
  test('believes nothing until a heartbeat that was sent afterwards has come back', (t) => {
    const { trust, judge } = startNode(t, 1)
    trust.heartbeat()(100)
    trust.hear({ row: session, version: 2 })
    const sentBefore = trust.heartbeat()
    trust.hear({ row: other, version: 2 })
    assert.equal(trust.status().floors, 0)
    assert.equal(judge(150, 1), 'before_horizon')
    sentBefore(200)
    assert.equal(judge(250, 1), 'before_horizon')
    trust.heartbeat()(300)
    assert.equal(judge(250, 1), 'before_horizon')
    assert.equal(judge(300, 2), 'believed')
  })

  test('remembers as many as it can, and the same row again is no other', (t) => {
    const { trust, judge } = startNode(t, 1)
    trust.heartbeat()(100)
    trust.hear({ row: session, version: 2 })
    trust.hear({ row: session, version: 3 })
    assert.equal(judge(100, 2), 'below_floor')
    assert.equal(judge(100, 3), 'believed')
  })
})

describe('no clock makes a heartbeat younger than it is', () => {
  test('the machine sleeps: the wall clock goes on while the monotonic one stands still', (t) => {
    const { trust, judge, setWall } = startNode(t)
    trust.heartbeat()(100)
    setWall(TRUST_MS)
    assert.equal(judge(100), 'silent')
  })

  test('the wall clock is set back', (t) => {
    const { trust, judge, setWall } = startNode(t)
    trust.heartbeat()(100)
    setWall(-TRUST_MS)
    assert.equal(judge(100), 'silent')
  })

  test('the wall clock stands still or was set back by what has passed', (t) => {
    const { trust, judge, passUnseen } = startNode(t)
    trust.heartbeat()(100)
    passUnseen(TRUST_MS - 1)
    assert.equal(judge(100), 'believed')
    passUnseen(1)
    assert.equal(judge(100), 'silent')
  })

  test('the next heartbeat puts it right', (t) => {
    const { trust, judge, setWall } = startNode(t)
    trust.heartbeat()(100)
    setWall(-3_600_000)
    trust.heartbeat()(3_000)
    assert.equal(judge(100), 'believed')
  })
})

test('a node that has lost its connection remembers nothing of what it believed', (t) => {
  const { trust, judge } = startNode(t)
  trust.heartbeat()(100)
  trust.hear({ row: session, version: 2 })
  trust.lose()
  assert.deepEqual(trust.status(), {
    hears: false,
    silentForMs: null,
    horizon: null,
    floors: 0,
    trustMs: 2_000,
  })
  assert.equal(judge(100, 2), 'silent')
  trust.heartbeat()(900)
  assert.equal(judge(899, 2), 'before_horizon')
  assert.equal(judge(900, 1), 'believed')
})

test('a standby whose clock is behind raises no belief in what was read before it was promoted', (t) => {
  const { trust, judge, pass } = startNode(t)
  trust.heartbeat()(100_000)
  pass(1_000)
  trust.lose()
  pass(500)
  trust.heartbeat()(91_500)
  assert.equal(judge(101_000), 'before_horizon')
  assert.equal(judge(101_499), 'before_horizon')
  assert.equal(judge(101_500), 'believed')
})
