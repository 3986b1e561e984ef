import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '../finding.ts'
import { mendInTurn } from './mend-in-turn.ts'

const finding = (rule: string, object: string, mend: string): Finding => ({
  ...{ rule, object, mend, weight: 'hole', why: 'It is one.', detail: null },
})

test('of several mends of one policy the first stays, and the others say for afterwards what they would', () => {
  const alter = 'alter policy own on app.notes\n  using (false);'
  const mends = mendInTurn([
    finding('one', 'policy own on app.notes', `-- why\n${alter}`),
    finding('two', 'policy own on app.notes', alter),
    finding('three', 'policy own on app.notes', 'revoke update on app.notes from ada;'),
    finding('four', 'policy other on app.notes', alter),
  ]).map(({ mend }) => mend)
  assert.deepEqual(mends, [
    `-- why\n${alter}`,
    '-- when it has been mended as one says:\n-- alter policy own on app.notes\n--   using (false);',
    'revoke update on app.notes from ada;',
    alter,
  ])
})
