import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Access, Exposure, Reach } from '../exposure/exposure.ts'
import { describeReach } from './exposure-besides-tables.ts'
import { exposureInHtml } from './exposure-in-html.ts'
import { exposureInWords } from './exposure-in-words.ts'

const access = (action: Access['action'], rows: Access['rows']): Access => ({
  ...{ role: 'anon', action, allowed: true, columns: [], refused: [], rows },
})
const role = (name: string) => ({
  ...{ name, is_superuser: false, bypasses_row_security: false, can_login: false },
  ...{ inherits: [], may_become: [], may_grant: [], replicates: false },
  ...{ creates_roles: false, creates_databases: false, creates_schemas: false },
})
const policies: Access['rows'] = {
  kind: 'policies',
  policies: [{ name: 'own', is_restrictive: false, using: '(mine)', with_check: null }],
}
const exposure: Exposure = {
  asked: { schemas: null, roles: null },
  roles: [role('anon'), role('PUBLIC')],
  schemas: [],
  relations: [
    {
      ...{ schema: 'public', name: 'notes', kind: 'table', columns: ['id'], row_security: 'on' },
      access: [
        access('select', policies),
        access('truncate', { kind: 'all', reason: 'row-level security does not apply' }),
      ],
      ...{ owner: 'postgres', owned_by: [], rules: [], definer_triggers: [], definition: null },
      rights: [{ role: 'anon', privileges: ['references', 'trigger'] }],
    },
  ],
  ...{ functions: [], sequences: [], large_objects: [], default_privileges: [] },
  ...{ unseen: [], above: [], parameters: [] },
}
const page = (isOfApi: boolean): string =>
  exposureInHtml(exposure, {
    ...{ command: 'advisor exposure --html', warnings: [], isOfApi },
    note: 'A request is `anon`.',
  })

test('what no statement of an API server comes to is told without alarm, and once', () => {
  const words = exposureInWords(exposure, { isOfApi: true })
  assert.doesNotMatch(words, /ALL ROWS/)
  assert.match(
    words,
    /\n {2}anon: truncate, references, trigger on public\.notes, which no statement of an API server comes to/,
  )
  assert.match(exposureInWords(exposure), /truncate .*\n.*ALL ROWS/)
  assert.match(page(true), /<span class="chip quiet">.{0,60}truncate/)
  assert.doesNotMatch(page(true), /<tr[^>]* data-open/)
  assert.match(page(false), /<span class="chip all">.{0,60}truncate/)
  assert.match(page(false), /<tr[^>]* data-open/)
})

test('the page says a note without backticks, and has no column for whoever can do nothing', () => {
  assert.match(page(true), /<p>A request is <code>anon<\/code>\.<\/p>/)
  assert.match(page(true), /<code>PUBLIC<\/code> can do nothing with any of these/)
  assert.doesNotMatch(page(true), /<th scope="col">PUBLIC|<td data-role="PUBLIC"/)
})

test('a body that names tables without a schema is not said to name none', () => {
  const reach: Reach = {
    ...{ as: 'postgres', past_row_security: 'superuser' as const, known_by: 'named' as const },
    ...{ relations: [], functions: [], without_schema: ['todos'], executes_text: false },
  }
  const [said] = describeReach({
    ...{ schema: 'public', signature: 'f()', returns: 'void', kind: 'function' as const },
    ...{ security: 'definer' as const, executable_by: ['anon'], body: null },
    reach,
  })
  assert.equal(
    said,
    'as its owner postgres, A SUPERUSER: names tables without a schema, which the search_path of its caller decides: todos',
  )
})
