import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { askGraphql, graphqlData } from '../harness/graphql.ts'
import { notesSchema } from '../harness/graphql-notes.ts'
import { type Answer, assertProblem, register, startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
let token: string
before(async () => {
  pie = await startTestPie({ settings: { GRAPHQL_SCHEMAS: 'app' } })
  await pie.owner.query(notesSchema)
  token = (await register(pie, 'ada')).access_token
  const grace = await register(pie, 'grace')
  await pie.owner.query(
    `insert into app.notes (owner_id, title, slug) values ($1, 'secret', 'taken')`,
    [grace.user.id],
  )
})
after(() => pie.close())

/** What Postgres says of itself, and of what is in it. */
const inside =
  /slug_of_somebody|title_is_written|constraint|violat|app\.|"notes"|select |insert |secret|taken|column|relation|policy|row-level|SQLSTATE|plpgsql|at character|node_modules|\.ts:/i

const notes = async () => (await pie.owner.query('select * from app.notes order by id')).rows

/** Asserts one error of a code, which says nothing of what is inside; and that nothing has changed. */
async function assertRefused(
  query: string,
  code: string,
  variables: Record<string, unknown> = {},
): Promise<void> {
  const earlier = await notes()
  const { status, body } = await askGraphql(pie, { token, variables }, query)
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(body.errors.length, 1, JSON.stringify(body))
  assert.deepEqual(body.errors[0].extensions, { code }, JSON.stringify(body))
  assert.doesNotMatch(body.errors[0].message, inside)
  assert.deepEqual(Object.keys(body.errors[0]).toSorted(), [
    'extensions',
    'locations',
    'message',
    'path',
  ])
  assert.deepEqual(await notes(), earlier)
}

describe('an error has a stable code, and says nothing of what is inside', () => {
  test('a value that is taken is a conflict, whoever has it', async () => {
    await assertRefused(
      'mutation { createNote(input: { note: { title: "x", slug: "taken" } }) { note { id } } }',
      'conflict',
    )
  })

  test('what a constraint, a policy or a grant refuses', async () => {
    await assertRefused(
      'mutation { createNote(input: { note: { title: "" } }) { note { id } } }',
      'invalid_request',
    )
    await assertRefused(
      'mutation { createNote(input: { note: { title: "x", ownerId: "11111111-2222-4333-8444-555555555555" } }) { note { id } } }',
      'forbidden',
    )
    await pie.owner.query('revoke insert on app.notes from webuser')
    await pie.owner.query(
      'revoke insert (owner_id, title, slug, parent_id) on app.notes from webuser',
    )
    await assertRefused(
      'mutation { createNote(input: { note: { title: "x" } }) { note { id } } }',
      'forbidden',
    )
    await pie.owner.query('grant insert (owner_id, title, slug, parent_id) on app.notes to webuser')
    await graphqlData(
      pie,
      { token },
      'mutation { createNote(input: { note: { title: "x" } }) { note { id } } }',
    )
  })

  test('what a function raises: its words are for the log', async () => {
    const query = 'query ($state: String!) { fail(state: $state) }'
    for (const [state, code] of [
      ['P0001', 'refused_by_application'],
      ['22012', 'invalid_request'],
      ['42501', 'forbidden'],
      ['28000', 'forbidden'],
      ['23505', 'conflict'],
      ['40001', 'busy'],
      ['XX000', 'internal'],
      ['42P01', 'internal'],
      ['54001', 'internal'],
    ] as const) {
      pie.log.length = 0
      await assertRefused(query, code, { state })
      const line = pie.log
        .map((text) => JSON.parse(text))
        .find((entry) => entry.err?.code === state)
      assert.equal(line?.err.message, 'secret words')
      assert.equal(line.level, code === 'internal' ? 50 : 20)
      assert.doesNotMatch(JSON.stringify(pie.log), /secret detail|secret hint/)
    }
  })

  test('what a function raises that a client could mistake for the end of its session is not that', async () => {
    const query = 'query { fail(state: "28000") }'
    assert.equal((await askGraphql(pie, { token }, query)).status, 200)
    assert.equal((await pie.request('/users/me', { token })).status, 200)
  })

  test('values that are none of their type', async () => {
    for (const [query, variables] of [
      ['query ($id: UUID!) { user(id: $id) { id } }', { id: 'x' }],
      ['query ($id: BigInt!) { note(id: $id) { id } }', { id: '99999999999999999999999' }],
      ['query ($id: BigInt!) { note(id: $id) { id } }', { id: "1' or true" }],
      ['query ($id: BigInt!) { note(id: $id) { id } }', { id: { a: 1 } }],
      ['query ($id: BigInt!) { note(id: $id) { id } }', {}],
      ['query ($first: Int) { notes(first: $first) { nodes { id } } }', { first: 'x' }],
      ['query ($first: Int) { notes(first: $first) { nodes { id } } }', { first: 2 ** 40 }],
      ['query ($offset: Int) { notes(offset: $offset) { nodes { id } } }', { offset: -1 }],
      ['query ($slug: String!) { noteBySlug(slug: $slug) { id } }', { slug: 'a\u0000b' }],
    ] as const) {
      const { status, body } = await askGraphql(pie, { token, variables }, query)
      const text = JSON.stringify(body)
      assert.ok(
        status === 400 ||
          body.errors?.[0].extensions.code === 'invalid_request' ||
          body.data?.note === null,
        text,
      )
      assert.doesNotMatch(
        text.replaceAll(query, ''),
        /syntax for type|select |app\.|node_modules|stack/i,
        text,
      )
    }
  })

  test('and answers that are no objects, prototypes, odd characters', async () => {
    for (const query of [
      '{ __proto__ }',
      '{ constructor }',
      '{ toString }',
      '{ me { hasOwnProperty } }',
      '{ \u202eme { id } }',
      '\ufeff{ me { id } }',
    ]) {
      const answer = await askGraphql(pie, { token }, query)
      if (answer.status !== 200) assertProblem(answer, 400, 'graphql_invalid')
    }
    const headers = { 'content-type': 'application/json' }
    for (const raw of [
      '{"query":"{me{id}}","variables":{"__proto__":{"a":1}}}',
      '{"query":"{me{id}}","variables":[]}',
      '{"query":"{me{id}}","variables":"{}"}',
      '{"query":"{me{id}}","operationName":["a"]}',
    ]) {
      const { status, body } = await pie.request('/graphql', { raw, headers, token })
      assert.equal(status, 400, `${raw}: ${JSON.stringify(body)}`)
    }
  })
})

/** The schema is built anew beside the requests. */
async function askWhenThere(query: string): Promise<Answer> {
  for (;;) {
    const answer = await askGraphql(pie, { token }, query)
    if (answer.status === 200) return answer
    assertProblem(answer, 400, 'graphql_invalid')
    await sleep(250)
  }
}

describe('what an application raises for its clients', () => {
  const raising = (name: string, using: string) => `
    create function app.${name}() returns int language plpgsql as $$
      begin raise exception using ${using}; end $$;
    grant execute on function app.${name}() to webuser;`

  test('with an SQLSTATE of class AP reaches them: message, detail and hint, and nothing that names a table', async () => {
    await pie.owner.query(
      raising(
        'sold_out',
        `message = 'There are no seats left.', errcode = 'AP001', detail = '{"seats": 0}', hint = 'Try another day.',
         table = 'secret', schema = 'app', column = 'slug', constraint = 'slug_of_somebody'`,
      ),
    )
    const answer = await askWhenThere('mutation { soldOut(input: {}) { result } }')
    assert.equal(answer.body.data, null)
    const [error] = answer.body.errors
    assert.deepEqual(error.extensions, {
      code: 'refused_by_application',
      sqlstate: 'AP001',
      detail: '{"seats": 0}',
      explanation: '{"seats": 0}',
      hint: 'Try another day.',
    })
    assert.equal(error.message, 'There are no seats left.')
    assert.doesNotMatch(JSON.stringify(answer.body), /slug|secret|constraint|app\./)
  })

  test('with any other says no more than ever, also what every raise has that names none', async () => {
    const others = {
      plain: ['P0001', 'refused_by_application'],
      made_up: ['XX123', 'internal'],
      nearly: ['AQ001', 'internal'],
      unique_like: ['23505', 'conflict'],
    }
    for (const [name, [errcode]] of Object.entries(others))
      await pie.owner.query(
        raising(
          name,
          `message = 'secret', errcode = '${errcode}', detail = 'secret', hint = 'secret'`,
        ),
      )
    for (const [name, [, code = '']] of Object.entries(others)) {
      const field = name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())
      const query = `mutation { ${field}(input: {}) { result } }`
      await askWhenThere(query)
      await assertRefused(query, code)
    }
  })

  test('is no longer than anybody reads', async () => {
    await pie.owner.query(
      raising(
        'endless',
        `message = repeat('m', 100000), errcode = 'AP002', detail = repeat('🙂', 100000)`,
      ),
    )
    const query = 'mutation { endless(input: {}) { result } }'
    const text = JSON.stringify((await askWhenThere(query)).body)
    assert.match(text, /"sqlstate":"AP002"/)
    assert.ok(text.length < 10_000, `${text.length} characters`)
  })
})
