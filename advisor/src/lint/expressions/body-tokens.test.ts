import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callsIn, tokensOf } from './body-tokens.ts'

test('names, literals and signs are told apart, and comments are none', () => {
  const tokens = tokensOf(`-- current_setting('a.b')
    select "Odd ""name""".x, 'it''s' || E'y' /* from */, $1::text, 1.5e3`)
  assert.deepEqual(
    tokens.filter(({ kind }) => kind !== 'sign').map(({ kind, text }) => `${kind} ${text}`),
    ['name select', 'name Odd "name"', 'name x', "literal it's", 'literal y', 'name text'],
  )
})

test('a call is a name before a parenthesis, with the schema before it', () => {
  const calls = callsIn(tokensOf(`select App . Me(), coalesce(x, "app"."B c" (1)), 'f(' from t`))
  assert.deepEqual(
    calls.map(({ schema, name }) => ({ schema, name })),
    [
      { schema: 'app', name: 'me' },
      { schema: null, name: 'coalesce' },
      { schema: 'app', name: 'B c' },
    ],
  )
})
