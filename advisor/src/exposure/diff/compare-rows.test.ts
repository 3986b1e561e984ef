import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AppliedPolicy, Rows } from '../exposure.ts'
import { compareRows, type Width } from './compare-rows.ts'
import { implies } from './implies.ts'

const all: Rows = { kind: 'all', reason: 'row-level security is off' }
const none: Rows = { kind: 'none' }
const policies = (...of: (string | { only: string })[]): Rows => ({
  kind: 'policies',
  policies: of.map(
    (asked, place): AppliedPolicy => ({
      name: `p${place}`,
      is_restrictive: typeof asked !== 'string',
      using: typeof asked === 'string' ? asked : asked.only,
      with_check: null,
    }),
  ),
})
const mine = '(owner = CURRENT_USER)'
const both = '((owner = CURRENT_USER) AND (NOT hidden))'

test('rows are more, fewer or others where that is proved, and to be reviewed where it is not', () => {
  const expected: [before: Rows, after: Rows, width: Width][] = [
    [policies(mine), policies('true'), 'wider'],
    [policies(mine), all, 'wider'],
    [none, policies(mine), 'wider'],
    [none, policies('false'), 'wider'],
    [policies(mine), policies(mine, 'shared'), 'wider'],
    [policies(mine, { only: 'live' }), policies(mine), 'wider'],
    [policies(mine, { only: 'live' }), policies(mine, { only: 'true' }), 'wider'],
    [policies(both), policies(mine), 'wider'],
    [policies(mine), policies(`(${mine} OR shared)`), 'wider'],
    [policies(mine), policies('shared', mine), 'wider'],
    [policies(mine), policies('shared'), 'changed'],
    [policies('(a > 1)'), policies('(a > 0)'), 'changed'],
    [policies(both), policies(both.replace('NOT hidden', 'hidden')), 'changed'],
    [policies(mine, { only: 'live' }), policies('shared', mine), 'wider'],
    [policies(mine, { only: 'live' }), policies('shared', { only: 'live' }), 'changed'],
    [policies(mine), policies('((owner = CURRENT_USER) AND live)', { only: 'live' }), 'narrower'],
    [policies(mine), policies(mine), 'same'],
    [policies(mine), policies(mine, mine), 'same'],
    [policies(mine), policies(mine, 'false'), 'same'],
  ]
  const other = { wider: 'narrower', narrower: 'wider', same: 'same', changed: 'changed' } as const
  for (const [before, after, width] of expected) {
    const said = JSON.stringify([before, after])
    assert.equal(compareRows(before, after), width, said)
    assert.equal(compareRows(after, before), other[width], said)
  }
})

test('what stands in quotes, in parentheses or behind NOT is not taken apart', () => {
  for (const [one, other] of [
    [`(a = ' OR '::text)`, `a = '`],
    [`(a = 'it''s' AND b)`, `s' AND b`],
    ['(EXISTS ( SELECT 1 FROM t WHERE (a AND b)))', 'b'],
    ['(NOT (a AND b))', 'b'],
    ['((NOT a) OR b)', 'b'],
    ['(a OR b)', 'a'],
    [`("x AND y" OR b)`, 'y" OR b'],
  ] as const)
    assert.equal(implies(one, other), false, `${one} / ${other}`)
  for (const [one, other] of [
    ['((NOT a) AND b)', 'b'],
    ['(a AND (b AND c))', '(c AND a)'],
    ['(a AND b)', '((a OR c) AND b)'],
    [`(a = 'x AND y')`, `((a = 'x AND y') OR b)`],
    ['a', null],
    ['false', 'a'],
  ] as const)
    assert.equal(implies(one, other), true, `${one} / ${other}`)
})
