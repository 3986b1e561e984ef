import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replaceColumn } from './replace-column.ts'

test('the second half of a column’s comparison with itself is replaced, and nothing else', () => {
  const text = `((m.team_id = m.team_id) AND (m.team_id = n.team_id) AND (x = 'm.team_id = m.team_id') AND ((m.team_id)::text = (m.team_id)::text) AND (m.team_id = m.team_id_too))`
  assert.equal(
    replaceColumn(text, 'team_id', 'notes.team_id'),
    `((m.team_id = notes.team_id) AND (m.team_id = n.team_id) AND (x = 'm.team_id = m.team_id') AND ((m.team_id)::text = (notes.team_id)::text) AND (m.team_id = m.team_id_too))`,
  )
  assert.equal(
    replaceColumn(`("M m"."a ""b""" = "M m"."a ""b""")`, `"a ""b"""`, 't.x'),
    `("M m"."a ""b""" = t.x)`,
  )
})
