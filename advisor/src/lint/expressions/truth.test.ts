/** Sets of true, false and null, against what Postgres' own logic says of each of their members. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { and, FALSE, isAlways, isNever, NULL, not, or, TRUE, UNKNOWN } from './truth.ts'

const sets = Array.from({ length: UNKNOWN }, (_, index) => index + 1)
const values: [number, boolean | null][] = [
  [TRUE, true],
  [FALSE, false],
  [NULL, null],
]
const bitOf = (value: boolean | null): number => (value === null ? NULL : value ? TRUE : FALSE)
const membersOf = (set: number) =>
  values.filter(([bit]) => (set & bit) !== 0).map(([, value]) => value)

/** SQL's, as its manual has it in tables. */
const andOf = (a: boolean | null, b: boolean | null) =>
  a === false || b === false ? false : a === null || b === null ? null : true
const notOf = (a: boolean | null) => (a === null ? null : !a)

test('and, or and not of sets hold what they come to for each member, and no more', () => {
  for (const one of sets) {
    const denied = membersOf(one).reduce((set, a) => set | bitOf(notOf(a)), 0)
    assert.equal(not(one), denied)
    for (const other of sets) {
      let both = 0
      let either = 0
      for (const a of membersOf(one))
        for (const b of membersOf(other)) {
          both |= bitOf(andOf(a, b))
          either |= bitOf(notOf(andOf(notOf(a), notOf(b))))
        }
      assert.equal(and(one, other), both)
      assert.equal(or(one, other), either)
    }
  }
})

test('null lets nothing through, and is not always true', () => {
  assert.ok(isNever(FALSE | NULL) && !isNever(TRUE | NULL))
  assert.ok(isAlways(TRUE) && !isAlways(TRUE | NULL))
})
