import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { getIntrospectionQuery } from 'graphql'
import { registerByCookie } from '../harness/by-cookie.ts'
import { askGraphql, assertRefusedDocument, graphqlData } from '../harness/graphql.ts'
import { assertProblem, register, snapshot, startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
let production: TestPie
let token: string
let productionToken: string
before(async () => {
  pie = await startTestPie()
  production = await startTestPie({ settings: { SERVICE_DOMAIN: 'https://auth.example.com' } })
  token = (await register(pie, 'ada')).access_token
  productionToken = (await register(production, 'ada')).access_token
  // Builds the schemas, and has ada's session known.
  await graphqlData(pie, { token }, '{ me { id } }')
  await graphqlData(production, { token: productionToken }, '{ me { id } }')
})
after(async () => {
  await production.close()
  await pie.close()
})

/** When each connection of request transactions was last sent something. */
async function lastStatements({ owner }: TestPie): Promise<string[]> {
  const { rows } = await owner.query(
    `select concat_ws(' ', pid, query_start, state_change, left(query, 100)) as last from pg_stat_activity
     where usename = 'cream' and datname = current_database() and query !~ $1 order by pid`,
    [LOOK],
  )
  return rows.map(({ last }) => last)
}

/**
 * Of Pie's own looks: at the catalog after a document that the schema does not fit, before it at a new connection, and after it
 * at all of the catalog, where another test has changed what roles of the server are members of.
 */
const LOOK = 'with recursive reached|pg_is_in_recovery|with\\s+database as'

/** Whether requests' connections have been asked nothing since, but for Pie's own looks. */
async function assertNothingAsked(of: TestPie, earlier: readonly string[]): Promise<void> {
  for (const last of await lastStatements(of)) assert.ok(earlier.includes(last), last)
}

/** Asserts that a document is refused before anything of it has reached Postgres. */
async function assertNeverRuns(query: string, code: string, saying: RegExp): Promise<void> {
  const earlier = await lastStatements(pie)
  assertRefusedDocument(await askGraphql(pie, { token }, query), code, saying)
  await assertNothingAsked(pie, earlier)
}

const nest = (depth: number): string =>
  depth === 0 ? 'id' : `userEmails(first: 1) { nodes { user { ${nest(depth - 1)} } } }`

describe('a document that asks for too much is refused, and none of it reaches Postgres', () => {
  test('the way it is seen that nothing has is a good one', async () => {
    const earlier = await lastStatements(pie)
    await graphqlData(pie, { token }, '{ me { id } }')
    assert.notDeepEqual(await lastStatements(pie), earlier)
  })

  test('too deep: 12 fields inside each other and no more, also through fragments', async () => {
    const { me } = await graphqlData(pie, { token }, `{ me { ${nest(3)} } }`)
    assert.ok(me.userEmails.nodes[0].user.userEmails.nodes[0].user)
    await assertNeverRuns(`{ me { ${nest(4)} } }`, 'graphql_too_complex', /12 deep.*14/)
    const fragments = Array.from({ length: 4 }, (_, index) =>
      index === 3
        ? 'fragment f3 on User { ...on User { ...on Node { nodeId } } userEmails { nodes { user { id } } } }'
        : `fragment f${index} on User { userEmails(first: 1) { nodes { user { ...f${index + 1} } } } }`,
    ).join(' ')
    await assertNeverRuns(`{ me { ...f0 } } ${fragments}`, 'graphql_too_complex', /12 deep/)
  })

  test('too much: what full pages inside full pages would hold', async () => {
    const pages = (size: string) =>
      `{ users(first: ${size}) { nodes { userEmails(first: ${size}) { nodes { user { userEmails(first: ${size}) { nodes { id } } } } } } } }`
    await graphqlData(pie, { token }, pages('10'))
    await assertNeverRuns(pages('100'), 'graphql_too_complex', /10000 fields/)
    // Who says no number, gets 50.
    await assertNeverRuns(pages('50').replaceAll('(first: 50)', ''), 'graphql_too_complex', /10000/)
    const variables = { size: 100 }
    const asked = `query ($size: Int) ${pages('$size')}`
    const earlier = await lastStatements(pie)
    const answer = await askGraphql(pie, { token, variables }, asked)
    assertRefusedDocument(answer, 'graphql_too_complex', /10000 fields/)
    await assertNothingAsked(pie, earlier)
    await assertNeverRuns(
      `query ($size: Int = 100) ${pages('$size')}`,
      'graphql_too_complex',
      /10000/,
    )
    await assertNeverRuns(pages('100').replaceAll('first', 'last'), 'graphql_too_complex', /10000/)
  })

  test('pages of more than 500 rows, and of both ends', async () => {
    await graphqlData(pie, { token }, '{ users(first: 500) { nodes { id } } }')
    await assertNeverRuns(
      '{ users(first: 501) { nodes { id } } }',
      'graphql_too_complex',
      /500 rows/,
    )
    await assertNeverRuns(
      '{ users(last: 501) { nodes { id } } }',
      'graphql_too_complex',
      /500 rows/,
    )
    await assertNeverRuns(
      '{ users(first: -1) { nodes { id } } }',
      'graphql_too_complex',
      /500 rows/,
    )
    await assertNeverRuns(
      '{ users(first: 1, last: 1) { nodes { id } } }',
      'graphql_too_complex',
      /either/,
    )
  })

  test('a thousand aliases of one field, and fifty-one', async () => {
    const aliases = (count: number) =>
      `{ ${Array.from({ length: count }, (_, index) => `a${index}: currentUserId`).join(' ')} }`
    await graphqlData(pie, { token }, aliases(50))
    await assertNeverRuns(aliases(51), 'graphql_too_complex', /50 aliases/)
    await assertNeverRuns(aliases(400), 'graphql_too_complex', /50 aliases/)
    await assertNeverRuns(aliases(1_000), 'graphql_invalid', /tokens/)
    const mutations = Array.from(
      { length: 51 },
      (_, index) => `a${index}: endMyOtherSessions(input: {}) { result }`,
    )
    await assertNeverRuns(
      `mutation { ${mutations.join(' ')} }`,
      'graphql_too_complex',
      /50 aliases/,
    )
  })

  test('one field over and over', async () => {
    await assertNeverRuns(`{ me { ${'id '.repeat(600)} } }`, 'graphql_too_complex', /500 fields/)
  })

  test('fragments in a circle, and fragments that double each other', async () => {
    await assertNeverRuns(
      '{ me { ...a } } fragment a on User { id ...b } fragment b on User { ...a }',
      'graphql_invalid',
      /within itself/,
    )
    const doubling = Array.from(
      { length: 40 },
      (_, index) =>
        `fragment f${index} on User { ...f${index + 1} ...on User { ...f${index + 1} } }`,
    )
    const document = `{ me { ...f0 } } ${doubling.join(' ')} fragment f40 on User { id }`
    await assertNeverRuns(document, 'graphql_too_complex', /500 fields/)
    const tree = Array.from(
      { length: 4 },
      (_, index) =>
        `fragment f${index} on User { id ${Array.from({ length: 6 }, (_, copy) => `u${index}${copy}: userEmails(first: 1) { nodes { user { ...f${index + 1} } } }`).join(' ')} }`,
    )
    await assertNeverRuns(
      `{ me { ...f1 } } ${tree.slice(1).join(' ')} fragment f4 on User { id }`,
      'graphql_too_complex',
      /500 fields/,
    )
    const many = Array.from({ length: 51 }, (_, index) => `fragment f${index} on User { id }`)
    await assertNeverRuns(
      `{ me { ...f0 } } ${many.join(' ')}`,
      'graphql_too_complex',
      /50 fragments/,
    )
  })

  test('floods of directives, variables and operations', async () => {
    const skips = '@skip(if: false) '.repeat(51)
    await assertNeverRuns(`{ me { id ${skips} } }`, 'graphql_too_complex', /50 directives/)
    await assertNeverRuns(
      `{ me { id ${'@x '.repeat(51)} } }`,
      'graphql_too_complex',
      /50 directives/,
    )
    const variables = Array.from({ length: 101 }, (_, index) => `$v${index}: Int`).join(' ')
    await assertNeverRuns(
      `query (${variables}) { me { id } }`,
      'graphql_too_complex',
      /100 variables/,
    )
    const operations = Array.from({ length: 21 }, (_, index) => `query q${index} { me { id } }`)
    await assertNeverRuns(operations.join(' '), 'graphql_too_complex', /20 operations/)
  })

  test('huge documents, and values that are nested without end', async () => {
    await assertNeverRuns(`{ me { ${'id '.repeat(18_000)} } }`, 'graphql_invalid', /tokens/)
    await assertNeverRuns(`{ hasRole(role: ${'['.repeat(2_900)}`, 'graphql_too_complex', /^/)
    await assertNeverRuns(
      `{ hasRole(role: ${'{a:'.repeat(900)}1${'}'.repeat(900)}) }`,
      'graphql_invalid',
      /^/,
    )
    const earlier = await lastStatements(pie)
    const huge = await askGraphql(pie, { token }, `{ me { id } } #${'x'.repeat(70_000)}`)
    assertProblem(huge, 413, 'body_too_large')
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    const raw = `{"query": "query ($v: [String!]) { hasRole(role: $v) }", "variables": {"v": ${deep}}}`
    const headers = { 'content-type': 'application/json' }
    assertProblem(await pie.request('/graphql', { raw, headers, token }), 400, 'graphql_invalid')
    await assertNothingAsked(pie, earlier)
  })

  test('and while all of that is refused, the server answers others', async () => {
    const costly = `{${Array.from({ length: 98 }, () => 'me { id userEmails { nodes { id } } }').join(' ')}}`
    const answers = await Promise.all([
      ...Array.from({ length: 20 }, (_, index) =>
        askGraphql(pie, { token }, `${costly} #${index}`),
      ),
      pie.request('/health/live'),
    ])
    assert.equal(answers.pop()?.status, 200)
    for (const answer of answers) assertProblem(answer, 400, 'graphql_too_complex')
  })
})

describe('what /graphql takes', () => {
  test('is one operation: no batches, no persisted ones', async () => {
    const earlier = await lastStatements(pie)
    const one = { query: '{ me { id } }' }
    for (const body of [
      [one, one],
      [],
      { queries: [one] },
      { id: 'abc' },
      { query: null },
      { query: 1 },
    ])
      assertProblem(await pie.request('/graphql', { body, token }), 400, 'invalid_request')
    const extensions = { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } }
    assertProblem(
      await pie.request('/graphql', { body: { extensions }, token }),
      400,
      'invalid_request',
    )
    await assertNothingAsked(pie, earlier)
  })

  test('is of one name, where there are several', async () => {
    const document = 'query a { me { id } } query b { currentUserId }'
    assertRefusedDocument(
      await askGraphql(pie, { token }, document),
      'graphql_invalid',
      /operationName/,
    )
    const unknown = await askGraphql(pie, { token, operationName: 'c' }, document)
    assertRefusedDocument(unknown, 'graphql_invalid', /operationName/)
    const data = await graphqlData(pie, { token, operationName: 'b' }, document)
    assert.deepEqual(Object.keys(data), ['currentUserId'])
    await assertNeverRuns('subscription { me { id } }', 'graphql_invalid', /no query/)
    await assertNeverRuns('fragment a on User { id }', 'graphql_invalid', /^/)
    await assertNeverRuns(' ', 'graphql_invalid', /Syntax/)
    await assertNeverRuns('{ me @defer { id } }', 'graphql_invalid', /defer/)
  })

  test('comes by POST and as JSON', async () => {
    const query = encodeURIComponent('{ me { id } }')
    assertProblem(
      await pie.request(`/graphql?query=${query}`, { token }),
      405,
      'method_not_allowed',
    )
    const raw = '{ me { id } }'
    for (const type of [
      'application/graphql',
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded',
    ]) {
      const answer = await pie.request('/graphql', {
        raw,
        token,
        headers: { 'content-type': type },
      })
      assertProblem(answer, 415, 'unsupported_media_type')
    }
  })

  test('with a cookie needs a CSRF token, and comes from no other site', async () => {
    const { cookie, csrfToken } = await registerByCookie(pie, 'grace')
    const earlier = await snapshot(pie.owner)
    const mutation = 'mutation { endMyOtherSessions(input: {}) { result } }'
    assertProblem(
      await askGraphql(pie, { headers: { cookie } }, mutation),
      403,
      'csrf_token_missing',
    )
    const headers = { cookie, 'x-csrf-token': csrfToken, origin: 'https://evil.example' }
    assertProblem(await askGraphql(pie, { headers }, mutation), 403, 'cross_origin')
    const raw = `query=${encodeURIComponent(mutation)}&csrf_token=${csrfToken}`
    const type = 'application/x-www-form-urlencoded'
    const form = { cookie, origin: 'http://localhost:3000', 'content-type': type }
    const answer = await pie.request('/graphql', { raw, headers: form })
    assertProblem(answer, 415, 'unsupported_media_type')
    assert.deepEqual(await snapshot(pie.owner), earlier)
    await graphqlData(pie, { headers: { cookie, 'x-csrf-token': csrfToken } }, mutation)
  })

  test('is answered for nobody else to keep', async () => {
    const { headers } = await askGraphql(pie, { token }, '{ me { id } }')
    assert.equal(headers.get('cache-control'), 'private, no-store')
    assert.match(headers.get('vary') ?? '', /cookie/i)
    const accept = { accept: 'application/graphql-response+json, application/json;q=0.9' }
    const asked = await askGraphql(pie, { token, headers: accept }, '{ me { id } }')
    assert.match(asked.headers.get('content-type') ?? '', /^application\/graphql-response\+json/)
  })
})

describe('in production', () => {
  const ask = (query: string) => askGraphql(production, { token: productionToken }, query)

  test('a schema says nothing of itself', async () => {
    for (const query of [
      getIntrospectionQuery(),
      '{ __schema { types { name } } }',
      '{ __type(name: "User") { fields { name } } }',
      '{ me { id } ...a } fragment a on Query { s: __schema { queryType { name } } }',
    ])
      assertRefusedDocument(await ask(query), 'graphql_invalid', /introspection/)
    // What something is, clients ask for to keep their caches.
    const { body } = await ask('{ me { __typename } }')
    assert.equal(body.data.me.__typename, 'User')
  })

  test('and suggests nothing', async () => {
    for (const query of [
      '{ me { nam } }',
      '{ mee { id } }',
      '{ users(frst: 1) { nodes { id } } }',
      '{ users(orderBy: [NAM_ASC]) { nodes { id } } }',
      '{ me { ...on Usr { id } } }',
    ])
      assert.doesNotMatch(JSON.stringify((await ask(query)).body), /did you mean/i)
    const wrong = { token: productionToken, variables: { order: ['ID_AS'] } }
    const document = 'query ($order: [UserOrderBy!]) { users(orderBy: $order) { nodes { id } } }'
    const answer = await askGraphql(production, wrong, document)
    assertRefusedDocument(answer, 'graphql_invalid', /variables/)
    assert.doesNotMatch(JSON.stringify(answer.body), /did you mean/i)
  })

  test('there is no editor', async () => {
    for (const path of [
      '/graphql/editor',
      '/graphql/editor.js',
      '/graphql/editor.css',
      '/ruru',
      '/graphiql',
    ])
      assertProblem(await production.request(path), 404, 'not_found')
  })

  test('both are there where somebody develops', async () => {
    const data = await graphqlData(pie, { token }, getIntrospectionQuery())
    assert.ok(data.__schema.types.length > 20)
    const wrong = await askGraphql(pie, { token }, '{ me { nam } }')
    assertRefusedDocument(wrong, 'graphql_invalid', /Did you mean .*name/)
    for (const path of ['/graphql/editor', '/graphql/editor.js', '/graphql/editor.css']) {
      const answer = await pie.request(path)
      assert.equal(answer.status, 200)
      const csp = answer.headers.get('content-security-policy') ?? ''
      assert.match(csp, /default-src 'none'/)
      assert.doesNotMatch(csp, /unsafe/)
    }
    const { status, headers } = await pie.request('/ruru')
    assert.deepEqual([status, headers.get('location')], [303, '/graphql/editor'])
  })

  test('a question of the schema that goes in circles is refused there too', async () => {
    const circle = (depth: number): string =>
      depth === 0 ? 'name' : `fields { type { ${circle(depth - 1)} } }`
    const query = `{ __type(name: "User") { ${circle(5)} } }`
    await assertNeverRuns(query, 'graphql_invalid', /introspection depth/i)
  })
})
