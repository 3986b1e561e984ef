import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { askGraphql, assertRefusedDocument, graphqlData } from '../harness/graphql.ts'
import { notesSchema } from '../harness/graphql-notes.ts'
import { assertProblem, register, startTestPie, type TestPie } from '../harness/pie.ts'

/** More than the largest page has. */
const WRITTEN = 1_200

let pie: TestPie
let token: string
before(async () => {
  pie = await startTestPie({ settings: { GRAPHQL_SCHEMAS: 'app' } })
  await pie.owner.query(notesSchema)
  await pie.owner.query(`
    comment on table app.notes is '@behavior +list';
    create function app.titles() returns setof text language sql stable as $$ select title from app.notes $$;
    create function app.notes_children(note app.notes) returns setof app.notes language sql stable
      as $$ select * from app.notes $$;
    create function app.take(note jsonb) returns boolean language sql stable as $$ select true $$;
    revoke execute on all functions in schema app from public;
    grant execute on all functions in schema app to webuser`)
  const ada = await register(pie, 'ada')
  token = ada.access_token
  await pie.owner.query(
    `insert into app.notes (owner_id, title) select $1, 'note ' || n from generate_series(1, $2) as n`,
    [ada.user.id, WRITTEN],
  )
})
after(() => pie.close())

type Variables = Record<string, unknown>

const ask = (query: string, variables: Variables = {}) =>
  askGraphql(pie, { token, variables }, query)

const assertRefused = async (query: string, variables: Variables = {}) =>
  assertRefusedDocument(
    await ask(query, variables),
    'graphql_too_complex',
    /rows|fields|either|offset/,
  )

async function countRows(query: string, variables: Variables = {}): Promise<number> {
  const { notes } = await graphqlData(pie, { token, variables }, query)
  return notes.nodes.length
}

describe('a page is as large as what will be run says, wherever the number comes from', () => {
  test('the default of a variable', async () => {
    for (const argument of ['first', 'last']) {
      await assertRefused(`query ($n: Int = 20000) { notes(${argument}: $n) { nodes { id } } }`)
      await assertRefused(
        `query ($n: Int! = 20000) { notes { ...page } } fragment page on NoteConnection {
          nodes { childrenByParentId: notesByParentId(${argument}: $n) { nodes { id } } } }`,
      )
      const within = `query ($n: Int = 20) { notes(${argument}: $n) { nodes { id } } }`
      assert.equal(await countRows(within), 20)
      assert.equal(await countRows(within, { n: 3 }), 3)
      await assertRefused(within, { n: 501 })
    }
  })

  test('null, and what is left out, are the usual page', async () => {
    const query = 'query ($n: Int = 20000) { notes(first: $n) { nodes { id } } }'
    assert.equal(await countRows(query, { n: null }), 50)
    assert.equal(await countRows('query ($n: Int) { notes(first: $n) { nodes { id } } }'), 50)
    assert.equal(await countRows('query ($n: Int) { notes(last: $n) { nodes { id } } }'), 50)
    assert.equal(await countRows('{ notes(first: null, last: null) { nodes { id } } }'), 50)
    assert.equal(await countRows('{ notes(first: null, last: 7) { nodes { id } } }'), 7)
  })

  test('a number as another form of it: it is a number, or no number', async () => {
    const query = 'query ($n: Int) { notes(last: $n) { nodes { id } } }'
    for (const n of ['20000', [20_000], { n: 20_000 }, true, 20_000.5, 1e300, 2 ** 31])
      assertRefusedDocument(await ask(query, { n }), 'graphql_invalid', /Int/)
    await assertRefused(query, { n: 2e4 })
    await assertRefused(query, { n: -1 })
  })

  test('both ends at once', async () => {
    const query = 'query ($a: Int = 5, $b: Int = 6) { notes(first: $a, last: $b) { nodes { id } } }'
    await assertRefused(query)
    await assertRefused('{ notes(first: 5, last: 20000) { nodes { id } } }')
    assert.equal(await countRows(query, { a: null }), 6)
    assert.equal(await countRows(query, { b: null }), 5)
  })

  test('pages inside pages, by defaults, in a fragment that stands in several places', async () => {
    const nested = (inside: string) =>
      `query ($n: Int = 101) { notes(last: $n) { nodes { id ${inside} } } }`
    await assertRefused(nested('owner { notesByOwnerId(last: $n) { nodes { id } } }'))
    await assertRefused(`${nested('...more')}
      fragment more on Note { owner { notesByOwnerId(last: $n) { nodes { id } } } }`)
    await assertRefused(nested('childrenByParentId: notesByParentId(last: $n) { nodes { id } }'))
    await assertRefused(nested('children(first: $n) { edges { node { id } } }'))
    // Fifty of each of them, and nobody has said so.
    await assertRefused(
      `query ($n: Int = 30) { notes(last: $n) { nodes { children { nodes { id title slug } edges { node { id ownerId } } } } } }`,
    )
    const aliases = Array.from(
      { length: 45 },
      (_, index) => `a${index}: notes(last: $n) { nodes { id } }`,
    )
    await assertRefused(`query ($n: Int = 300) { ${aliases.join(' ')} }`)
  })

  test('what is left out by a directive is not run, and not counted', async () => {
    const query = `query ($has: Boolean = true) {
      notes(first: 500) { nodes { id ...more @include(if: $has) } } }
      fragment more on Note { owner { notesByOwnerId(first: 500) { nodes { id } } } }`
    await assertRefused(query)
    await assertRefused(query, { has: true })
    assert.equal(await countRows(query, { has: false }), 500)
  })

  test('lists that are no connections, and functions that return rows', async () => {
    await assertRefused('query ($n: Int = 20000) { notesList(first: $n) { id } }')
    await assertRefused('query ($n: Int = 20000) { titles(first: $n) { nodes } }')
    const data = await graphqlData(
      pie,
      { token },
      '{ notesList { id } some: notesList(first: 60) { id } titles { nodes } notes(first: 1) { nodes { children { nodes { id } } } } }',
    )
    assert.equal(data.notesList.length, 50)
    assert.equal(data.some.length, 60)
    assert.equal(data.titles.nodes.length, 50)
    assert.equal(data.notes.nodes[0].children.nodes.length, 50)
    await assertRefused(
      '{ notesList(first: 500) { id owner { notesByOwnerId(first: 500) { nodes { id } } } } }',
    )
  })

  test('the operation that is asked for, of several', async () => {
    const query =
      'query small ($n: Int = 1) { notes(last: $n) { nodes { id } } } query large ($n: Int = 20000) { notes(last: $n) { nodes { id } } }'
    const { notes } = await graphqlData(pie, { token, operationName: 'small' }, query)
    assert.equal(notes.nodes.length, 1)
    const large = await askGraphql(pie, { token, operationName: 'large' }, query)
    assertRefusedDocument(large, 'graphql_too_complex', /rows/)
  })

  test('what a mutation answers with', async () => {
    const mutation = (argument: string) => `mutation ($n: Int = 20000) {
      createNote(input: { note: { title: "new" } }) { note { owner { notesByOwnerId(${argument}: $n) { nodes { id } } } } } }`
    await assertRefused(mutation('first'))
    await assertRefused(mutation('last'))
    const { rows } = await pie.owner.query('select count(*)::int as count from app.notes')
    assert.equal(rows[0].count, WRITTEN)
  })
})

describe('values that are strange or large are told, and nothing breaks', () => {
  test('offsets, cursors, many variables, deep values', async () => {
    await assertRefused('{ notes(offset: -1) { nodes { id } } }')
    const far = '{ notes(offset: 2000000000) { nodes { id } } }'
    assert.equal(await countRows(far), 0)
    const after = 'query ($after: Cursor) { notes(after: $after) { nodes { id } } }'
    for (const cursor of ['x', 'x'.repeat(50_000), Buffer.from('[1,2,3]').toString('base64')]) {
      const { status, body } = await ask(after, { after: cursor })
      const code = status === 200 ? body.errors[0].extensions.code : body.code
      assert.ok(['invalid_request', 'graphql_invalid'].includes(code), JSON.stringify(body))
    }
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`v${n}`, n]))
    assert.equal((await ask('{ me { id } }', many)).status, 200)
    const deep = `${'['.repeat(15_000)}${']'.repeat(15_000)}`
    const raw = `{"query": "query ($v: JSON) { take(note: $v) }", "variables": {"v": ${deep}}}`
    const headers = { 'content-type': 'application/json' }
    assertProblem(
      await pie.request('/graphql', { raw, headers, token }),
      400,
      'graphql_too_complex',
    )
    const fits = { v: JSON.parse(`${'['.repeat(90)}${']'.repeat(90)}`) }
    assert.equal((await ask('query ($v: JSON) { take(note: $v) }', fits)).status, 200)
  })
})

test('and nobody is let in by all of that', async () => {
  assertProblem(await askGraphql(pie, {}, '{ notes { nodes { id } } }'), 401, 'unauthenticated')
})
