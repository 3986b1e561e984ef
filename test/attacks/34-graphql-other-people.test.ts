import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { askGraphql, graphqlData } from '../harness/graphql.ts'
import { notesSchema } from '../harness/graphql-notes.ts'
import { assertProblem, register, snapshot, startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
// biome-ignore lint/suspicious/noExplicitAny: what sign-up answers
let ada: any, grace: any
let secretId: string
before(async () => {
  pie = await startTestPie({ settings: { GRAPHQL_SCHEMAS: 'app' } })
  await pie.owner.query(notesSchema)
  ada = await register(pie, 'ada')
  grace = await register(pie, 'grace')
  const { rows } = await pie.owner.query(
    `insert into app.notes (owner_id, title, slug) values ($1, 'secret of grace', 'grace-slug') returning id`,
    [grace.user.id],
  )
  secretId = rows[0].id
})
after(() => pie.close())

const as = ({ access_token: token }: { access_token: string }) => ({ token })
const notes = async () => (await pie.owner.query('select * from app.notes order by id')).rows

/** Asserts that an answer says nothing of grace. */
function assertNothingOfGrace(body: unknown): void {
  const text = JSON.stringify(body)
  for (const secret of ['secret of grace', 'grace@example.com'])
    assert.ok(!text.includes(secret), text)
}

const nodeId = (type: string, id: string) =>
  Buffer.from(JSON.stringify([type, id])).toString('base64')

describe("another user's rows", () => {
  test('are found by their owner, so there is something to find', async () => {
    const document = 'query ($id: BigInt!) { note(id: $id) { nodeId title } }'
    const { note } = await graphqlData(pie, { ...as(grace), variables: { id: secretId } }, document)
    assert.equal(note.title, 'secret of grace')
    const node = 'query ($nodeId: ID!) { node(nodeId: $nodeId) { ...on Note { title } } }'
    const variables = { nodeId: note.nodeId }
    assert.deepEqual((await graphqlData(pie, { ...as(grace), variables }, node)).node, {
      title: 'secret of grace',
    })
    assert.equal((await graphqlData(pie, { ...as(ada), variables }, node)).node, null)
  })

  test('are not found by id, by unique value, by filter, by order, by relation', async () => {
    const variables = { id: secretId, user: grace.user.id }
    for (const query of [
      'query ($id: BigInt!) { note(id: $id) { title owner { userEmails { nodes { email } } } } }',
      '{ noteBySlug(slug: "grace-slug") { title } }',
      '{ userEmailByEmail(email: "grace@example.com") { email user { name } } }',
      'query ($user: UUID!) { user(id: $user) { id userEmails { nodes { email } } notesByOwnerId { nodes { title } } } }',
      'query ($user: UUID!) { notes(condition: { ownerId: $user }) { totalCount nodes { title } } }',
      'query ($user: UUID!) { userRoles(condition: { userId: $user }) { nodes { userId } } }',
      '{ notes(orderBy: [SLUG_DESC], first: 500) { totalCount nodes { title } } }',
      '{ users(first: 90) { totalCount nodes { id userEmails { nodes { email } } } } }',
      '{ role(name: "viewer") { userRoles { totalCount nodes { user { id userEmails { nodes { email } } } } } } }',
    ]) {
      const names = [...query.matchAll(/\$(\w+):/g)].map(([, name = '']) => name)
      const given = Object.fromEntries(names.map((name) => [name, variables[name as 'id']]))
      const data = await graphqlData(pie, { ...as(ada), variables: given }, query)
      assertNothingOfGrace(data)
      assert.ok(!JSON.stringify(data).includes(grace.user.id), query)
    }
    const { users, role } = await graphqlData(
      pie,
      as(ada),
      '{ users { totalCount } role(name: "viewer") { userRoles { totalCount } } }',
    )
    assert.deepEqual([users.totalCount, role.userRoles.totalCount], [1, 1])
  })

  test('are not reached through a forged node id or cursor', async () => {
    const forged = [
      nodeId('Note', secretId),
      nodeId('notes', secretId),
      nodeId('users', grace.user.id),
      nodeId('User', grace.user.id),
      nodeId('sessions', grace.user.id),
      nodeId('pg_authid', '10'),
      nodeId('users', `${ada.user.id}' or true --`),
      Buffer.from('[]').toString('base64'),
      Buffer.from('{"__proto__": 1}').toString('base64'),
      'query',
      '%%%',
      '',
    ]
    const document =
      'query ($nodeId: ID!) { node(nodeId: $nodeId) { nodeId ...on Note { title } ...on User { id } } }'
    for (const id of forged) {
      const { status, body } = await askGraphql(
        pie,
        { ...as(ada), variables: { nodeId: id } },
        document,
      )
      assert.equal(status, 200)
      assert.equal(body.data?.node ?? null, null, JSON.stringify(body))
      assertNothingOfGrace(body)
    }
    for (const cursor of [
      `' or true --`,
      Buffer.from(`["x",[${secretId}]]`).toString('base64'),
      '{}',
    ]) {
      const { body } = await askGraphql(
        pie,
        { ...as(ada), variables: { cursor } },
        'query ($cursor: Cursor) { notes(after: $cursor, orderBy: ID_ASC) { nodes { title } } }',
      )
      assertNothingOfGrace(body)
      assert.ok(!/syntax error|select|SQL/i.test(JSON.stringify(body)), JSON.stringify(body))
    }
  })

  test('are not changed, deleted, taken over or given', async () => {
    const earlier = [await notes(), await snapshot(pie.owner)]
    for (const [mutation, code] of [
      [
        `updateNote(input: { id: "${secretId}", patch: { title: "mine" } }) { note { title } }`,
        null,
      ],
      [`deleteNote(input: { id: "${secretId}" }) { note { title } deletedNoteNodeId }`, null],
      [
        `updateNoteBySlug(input: { slug: "grace-slug", patch: { title: "mine" } }) { note { title } }`,
        null,
      ],
      [
        `createNote(input: { note: { title: "x", ownerId: "${grace.user.id}" } }) { note { title } }`,
        'forbidden',
      ],
      [
        `updateUser(input: { id: "${grace.user.id}", patch: { name: "mallory" } }) { user { name } }`,
        null,
      ],
      [
        'endMySession(input: { sessionId: "11111111-2222-4333-8444-555555555555" }) { result }',
        null,
      ],
    ] as const) {
      const { status, body } = await askGraphql(pie, as(ada), `mutation { done: ${mutation} }`)
      assert.equal(status, 200, JSON.stringify(body))
      assertNothingOfGrace(body)
      if (code !== null) assert.deepEqual(body.errors[0].extensions, { code }, JSON.stringify(body))
      else assert.ok(!/mine|mallory/.test(JSON.stringify(body)), JSON.stringify(body))
    }
    assert.deepEqual([await notes(), await snapshot(pie.owner)], earlier)
  })

  test('are not told apart from none by a foreign key', async () => {
    const earlier = await notes()
    const errorOf = async (parentId: string) => {
      const document =
        'mutation ($parentId: BigInt) { createNote(input: { note: { title: "x", parentId: $parentId } }) { note { id } } }'
      const { body } = await askGraphql(pie, { ...as(ada), variables: { parentId } }, document)
      return body
    }
    const missing = await errorOf('999999')
    assert.equal(missing.errors[0].extensions.code, 'conflict')
    assert.doesNotMatch(JSON.stringify(missing), /notes|fkey|999999|constraint/)
    assert.deepEqual(await notes(), earlier)
  })
})

describe('who somebody is', () => {
  test('is not said by variables, extensions or headers', async () => {
    const settings = {
      role: 'webadmin',
      'pie.session_id': grace.user.id,
      'jwt.claims.user_id': grace.user.id,
    }
    const body = {
      query: '{ currentUserId who users { totalCount } }',
      variables: { pgSettings: settings, ...settings },
      extensions: { pgSettings: settings },
    }
    const headers = {
      'x-pg-settings': JSON.stringify(settings),
      'x-hasura-role': 'webadmin',
      'x-user-id': grace.user.id,
      role: 'webadmin',
    }
    const answer = await pie.request('/graphql', { body, headers, ...as(ada) })
    assert.equal(answer.status, 200)
    assert.equal(answer.body.data.currentUserId, ada.user.id)
    assert.match(answer.body.data.who, /^webuser /)
    assert.equal(answer.body.data.users.totalCount, 1)
    for (const member of ['pgSettings', 'context', 'rootValue', 'onError'])
      assertProblem(
        await pie.request('/graphql', {
          body: { query: '{ currentUserId }', [member]: settings },
          ...as(ada),
        }),
        400,
        'invalid_request',
      )
  })

  test('is asked of everybody: without a session nothing is answered, not even what there is', async () => {
    for (const headers of [
      {},
      { authorization: 'Bearer x' },
      { cookie: 'pie_session_3000=x' },
    ] as Record<string, string>[])
      for (const query of [
        '{ __typename }',
        '{ __schema { queryType { name } } }',
        '{ me { id } }',
        '{',
      ])
        assertProblem(await askGraphql(pie, { headers }, query), 401, 'unauthenticated')
  })

  test('is nobody any more when the session has ended, also one that was revoked behind our back', async () => {
    const barbara = await register(pie, 'barbara')
    await graphqlData(pie, as(barbara), '{ me { id } }')
    const earlier = await notes()
    await pie.owner.query(
      `update pie_private.sessions set revoked_at = now(), revoked_reason = 'test' where user_id = $1`,
      [barbara.user.id],
    )
    for (const query of [
      '{ me { id } }',
      '{ notes { nodes { id } } }',
      '{ __typename me { id } }',
      'mutation { createNote(input: { note: { title: "late" } }) { note { id } } }',
    ]) {
      const answer = await askGraphql(pie, as(barbara), query)
      assertProblem(answer, 401, 'unauthenticated')
      assert.equal(answer.body.data, undefined)
    }
    assert.deepEqual(await notes(), earlier)
  })
})
