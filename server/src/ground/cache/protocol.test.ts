import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  GONE,
  GREATEST_AGE_MS,
  judge,
  type Knowledge,
  LEEWAY_MS,
  type Possession,
  readNotice,
  TRUST_MS,
  type Verdict,
} from './protocol.ts'

const ada = 'session 6f1c1f0e-3d52-4a5e-9d3e-0a4f6d2b7c11'
const user = 'user 0b0c6a5e-7f0e-4a53-8a3f-5f7a2d9c4e22'
const entry = {
  versions: [
    [ada, 7],
    [user, 3],
  ] as [string, number][],
  readAt: { transaction: 41, time: 5_001 },
  goodUntil: 9_000,
}
const held: Possession = { heldForMs: 0, isFromBefore: false }
const knowledge: Knowledge = {
  silentForMs: 0,
  horizon: { transaction: 40, time: 5_000 },
  floorOf: () => 0,
  databaseNow: 8_000,
}

interface Case {
  of?: object
  held?: Partial<Possession>
  by?: Partial<Knowledge>
}

function assertVerdict(expected: Verdict, { of = {}, held: heldHere = {}, by = {} }: Case) {
  const verdict = judge({ ...entry, ...of }, { ...held, ...heldHere }, { ...knowledge, ...by })
  assert.equal(verdict, expected)
}

describe('an entry is believed', () => {
  test('until the moment when it expires', () => {
    assertVerdict('believed', { by: { databaseNow: 8_999.999 } })
    assertVerdict('expired', { by: { databaseNow: 9_000 } })
    assertVerdict('expired', { of: { goodUntil: 0 } })
    assertVerdict('expired', { of: { goodUntil: Number.NaN } })
  })

  test('for less than two seconds after the last heartbeat was sent', () => {
    assertVerdict('believed', { by: { silentForMs: TRUST_MS - 0.001 } })
    assertVerdict('silent', { by: { silentForMs: TRUST_MS } })
    assertVerdict('silent', { by: { silentForMs: Number.POSITIVE_INFINITY } })
    assertVerdict('silent', { by: { silentForMs: Number.NaN } })
  })

  test('when it was read later than the horizon: not in the same instant, by neither count', () => {
    const read = (transaction: number, time: number) => ({ of: { readAt: { transaction, time } } })
    assertVerdict('believed', read(41, 5_000.001))
    assertVerdict('before_horizon', read(41, 5_000))
    assertVerdict('before_horizon', read(40, 5_000.001))
    assertVerdict('before_horizon', read(40, 7_999))
    assertVerdict('before_horizon', read(1_000, 4_999))
    assertVerdict('before_horizon', read(Number.NaN, 5_001))
    assertVerdict('before_horizon', { by: { horizon: null } })
  })

  test('when nothing can have been missed since this node began to read it', () => {
    assertVerdict('before_horizon', { held: { isFromBefore: true } })
  })

  test('for less than a minute, by the clock of the database and by the clock of this node', () => {
    const late = { goodUntil: 1e9 }
    const now = entry.readAt.time + GREATEST_AGE_MS
    assertVerdict('believed', { of: late, by: { databaseNow: now - 0.001 } })
    assertVerdict('too_old', { of: late, by: { databaseNow: now } })
    assertVerdict('believed', { held: { heldForMs: GREATEST_AGE_MS - 1 } })
    assertVerdict('too_old', { held: { heldForMs: GREATEST_AGE_MS } })
    assertVerdict('too_old', { held: { heldForMs: Number.NaN } })
    assertVerdict('too_old', { of: { readAt: { transaction: 41, time: Number.NaN } } })
  })

  test('when it does not come from the future', () => {
    const read = (time: number) => ({ of: { readAt: { transaction: 41, time } } })
    assertVerdict('believed', read(knowledge.databaseNow + LEEWAY_MS))
    assertVerdict('from_the_future', read(knowledge.databaseNow + LEEWAY_MS + 0.001))
  })

  test('when no row that it was read from has a floor above its version', () => {
    const floors = (rows: Record<string, number>) => ({ floorOf: (row: string) => rows[row] ?? 0 })
    assertVerdict('believed', { by: floors({ [ada]: 7, [user]: 3 }) })
    assertVerdict('below_floor', { by: floors({ [ada]: 8, [user]: 3 }) })
    assertVerdict('below_floor', { by: floors({ [ada]: 7, [user]: 4 }) })
    assertVerdict('below_floor', { by: floors({ [user]: GONE }) })
    assertVerdict('believed', { by: floors({ [`${ada}0`]: 8 }) })
  })

  test('never below a floor that is not a number', () => {
    assertVerdict('below_floor', { by: { floorOf: () => Number.NaN } })
  })
})

describe('a notice', () => {
  test('names a row and its version, or everything', () => {
    assert.deepEqual(readNotice(`${ada} 8`), { row: ada, version: 8 })
    assert.deepEqual(readNotice(`${user} 12`), { row: user, version: 12 })
    assert.equal(readNotice('*'), 'everything')
  })

  test('of a deleted row has a version above every other', () => {
    assert.deepEqual(readNotice(`${ada} 9223372036854775807`), { row: ada, version: GONE })
    const highest = readNotice(`${ada} 9223372036854775806`)
    assert.ok(highest !== null && highest !== 'everything' && highest.version < GONE)
  })

  for (const [what, text] of Object.entries({
    nothing: '',
    'two notices': `${ada} 8\n${ada} 9`,
    'a line break after it': `${ada} 8\n`,
    'a space before it': ` ${ada} 8`,
    'no version': ada,
    'an empty version': `${ada} `,
    'a negative version': `${ada} -1`,
    'a broken version': `${ada} 1.5`,
    'a version in hexadecimal': `${ada} 0x10`,
    'a version that is too long': `${ada} ${'9'.repeat(20)}`,
    'digits of another script': `${ada} ٣`,
    'another kind of row': `${ada.replace('session', 'password')} 8`,
    'capital letters': `${ada.toUpperCase()} 8`,
    'a shorter id': `${ada.slice(0, -1)} 8`,
    'a longer id': `${ada}0 8`,
    'an id with a quote': `${ada.slice(0, -1)}' 8`,
    'everything twice': '**',
    'everything, and more': '* ',
    JSON: '{"row":"*"}',
    'a name of every object': '__proto__ 8',
    '8 kB of it': `${ada} ${'0'.repeat(7_900)}8`,
  }))
    test(`is not read from ${what}`, () => assert.equal(readNotice(text), null))
})
