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

test('a function that is written anew is what other mends say of it, and nothing that a name or a body says', () => {
  const anew =
    'CREATE OR REPLACE FUNCTION app.f()\n SET search_path TO $$\nAS $$\nalter function app.f() security invoker;\n$$;'
  const path = 'alter function app.f() set search_path = pg_catalog, pg_temp;'
  const trap = 'function app."\nalter function app.f() stable;\n"()'
  const mends = mendInTurn([
    finding('path', 'function app.f()', `-- why\n${path}`),
    finding('anew', 'function app.f()', anew),
    finding('other', 'function app.g()', 'alter function app.g() stable;'),
    finding('trap', trap, `alter ${trap} stable;`),
    finding('trap anew', trap, anew),
  ]).map(({ mend }) => mend)
  assert.equal(mends[1], `${anew}\n${path}`)
  assert.equal(mends[4], anew)
})
