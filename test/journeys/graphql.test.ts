import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { registerByCookie } from '../harness/by-cookie.ts'
import { askGraphql, graphqlData } from '../harness/graphql.ts'
import { goodPassword, register, startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
// biome-ignore lint/suspicious/noExplicitAny: what sign-up answers
let ada: any, grace: any, dorothy: any
before(async () => {
  pie = await startTestPie({ settings: { GRAPHQL_SCHEMAS: 'app' } })
  await pie.owner.query(notes)
  ada = await register(pie, 'ada')
  grace = await register(pie, 'grace')
  await register(pie, 'dorothy')
  await pie.owner.query(`select pie_private.grant_role('dorothy@example.com', 'admin')`)
  const body = { email: 'dorothy@example.com', password: goodPassword }
  dorothy = (await pie.request('/auth/login', { body })).body
})
after(() => pie.close())

/** An application's own schema, written as the guide says. */
const notes = `
  create schema app;
  grant usage on schema app to webuser;
  create table app.notes (
    id bigint primary key generated always as identity,
    owner_id uuid not null default pie_schema.current_user_id() references pie_schema.users on delete cascade,
    title text not null check (title <> ''),
    tags text[] not null default '{}',
    payload bytea,
    details jsonb,
    slug text unique,
    created_at timestamptz not null default now()
  );
  create index on app.notes (owner_id);
  alter table app.notes enable row level security;
  create policy notes_own on app.notes to webuser
    using (owner_id = (select pie_schema.current_user_id()));
  grant select, delete on app.notes to webuser;
  grant insert (title, tags, details, slug) on app.notes to webuser;
  grant update (title, tags, details) on app.notes to webuser;
  comment on table app.notes is 'What somebody has written down.';
  create table app.reports (id int primary key, body text not null);
  alter table app.reports enable row level security;
  create policy reports_admin on app.reports to webadmin using ((select pie_schema.has_role('admin')));
  grant select on app.reports to webadmin;
  insert into app.reports values (1, 'all is well');
  create table app.secrets (id int primary key);
  alter table app.secrets enable row level security;
  create function app.shout(word text) returns text language sql stable as $$ select upper(word) $$;
  revoke execute on function app.shout(text) from public;
  grant execute on function app.shout(text) to webuser;
`

const as = ({ access_token: token }: { access_token: string }) => ({ token })

const createNote = `mutation ($title: String!, $tags: [String!]) {
  createNote(input: { note: { title: $title, tags: $tags } }) { note { id title tags owner { id } } }
}`

describe('somebody who is signed in', () => {
  test('asks who they are, with a token and with a cookie', async () => {
    const document =
      '{ me { id name userEmails { nodes { email isVerified } } userRoles { nodes { role { name } } } } }'.replace(
        'role { name }',
        'role',
      )
    const { me } = await graphqlData(pie, as(ada), document)
    assert.deepEqual(me, {
      id: ada.user.id,
      name: null,
      userEmails: { nodes: [{ email: 'ada@example.com', isVerified: false }] },
      userRoles: { nodes: [{ role: 'viewer' }] },
    })
    const barbara = await registerByCookie(pie, 'barbara')
    const headers = { cookie: barbara.cookie, 'x-csrf-token': barbara.csrfToken }
    const data = await graphqlData(pie, { headers }, '{ me { userEmails { nodes { email } } } }')
    assert.equal(data.me.userEmails.nodes[0].email, 'barbara@example.com')
  })

  test('changes their name, and every door shows the new one at once', async () => {
    const data = await graphqlData(
      pie,
      { ...as(ada), variables: { id: ada.user.id, name: 'Ada Lovelace' } },
      'mutation ($id: UUID!, $name: String) { updateUser(input: { id: $id, patch: { name: $name } }) { user { name } } }',
    )
    assert.deepEqual(data.updateUser.user, { name: 'Ada Lovelace' })
    const session = await pie.request('/auth/session', as(ada))
    assert.equal(session.body.user.name, 'Ada Lovelace')
    assert.equal((await pie.request('/users/me', as(ada))).body.name, 'Ada Lovelace')
  })

  test('lists and ends their sessions; the one that has ended is refused from then on', async () => {
    const body = { email: 'grace@example.com', password: goodPassword }
    const phone = (await pie.request('/auth/login', { body })).body
    assert.equal((await pie.request('/auth/session', as(phone))).status, 200)
    const { mySessions } = await graphqlData(
      pie,
      as(grace),
      '{ mySessions { nodes { id isCurrent } } }',
    )
    assert.equal(mySessions.nodes.length, 2)
    const other = mySessions.nodes.find(({ isCurrent }: { isCurrent: boolean }) => !isCurrent)
    const ended = await graphqlData(
      pie,
      { ...as(grace), variables: { id: other.id } },
      'mutation ($id: UUID!) { endMySession(input: { sessionId: $id }) { result } }',
    )
    assert.deepEqual(ended.endMySession.result, [other.id])
    assert.equal((await pie.request('/auth/session', as(phone))).status, 401)
    assert.equal((await askGraphql(pie, as(phone), '{ me { id } }')).status, 401)
  })
})

describe("an application's own schema", () => {
  test('shows each their own rows, whatever is asked for', async () => {
    for (const title of ['shopping', 'engine']) {
      const tags = ['a "b"', 'c,d', '{e}', '\\']
      const { createNote: made } = await graphqlData(
        pie,
        { ...as(ada), variables: { title, tags } },
        createNote,
      )
      assert.equal(made.note.title, title)
      assert.deepEqual(made.note.tags, tags)
      assert.equal(made.note.owner.id, ada.user.id)
    }
    await graphqlData(pie, { ...as(grace), variables: { title: 'compiler' } }, createNote)
    const document = '{ notes(orderBy: ID_ASC) { totalCount nodes { title } } }'
    const { notes: ofAda } = await graphqlData(pie, as(ada), document)
    assert.deepEqual(ofAda, { totalCount: 2, nodes: [{ title: 'shopping' }, { title: 'engine' }] })
    const { notes: ofGrace } = await graphqlData(pie, as(grace), document)
    assert.deepEqual(ofGrace, { totalCount: 1, nodes: [{ title: 'compiler' }] })
  })

  test('is read page by page', async () => {
    const page =
      'query ($after: Cursor, $first: Int) { notes(first: $first, after: $after, orderBy: ID_ASC) { nodes { title } pageInfo { hasNextPage endCursor } } }'
    const { notes: one } = await graphqlData(pie, { ...as(ada), variables: { first: 1 } }, page)
    assert.deepEqual(one.nodes, [{ title: 'shopping' }])
    assert.equal(one.pageInfo.hasNextPage, true)
    const variables = { first: 1, after: one.pageInfo.endCursor }
    const { notes: two } = await graphqlData(pie, { ...as(ada), variables }, page)
    assert.deepEqual(two.nodes, [{ title: 'engine' }])
    const { notes: last } = await graphqlData(
      pie,
      as(ada),
      '{ notes(last: 1, orderBy: ID_ASC) { nodes { title } } }',
    )
    assert.deepEqual(last.nodes, [{ title: 'engine' }])
    const { notes: none } = await graphqlData(pie, { ...as(ada), variables: { first: 0 } }, page)
    assert.deepEqual(none.nodes, [])
  })

  test('has pages of 50, also where a client says null', async () => {
    await pie.owner.query(
      `insert into app.notes (owner_id, title) select $1, 'n' || n from generate_series(1, 120) n`,
      [grace.user.id],
    )
    for (const variables of [{}, { first: null }]) {
      const { notes: page } = await graphqlData(
        pie,
        { ...as(grace), variables },
        'query ($first: Int) { notes(first: $first) { totalCount nodes { id } pageInfo { hasNextPage } } }',
      )
      assert.equal(page.totalCount, 121)
      assert.equal(page.nodes.length, 50)
      assert.equal(page.pageInfo.hasNextPage, true)
    }
    const { me } = await graphqlData(pie, as(grace), '{ me { notesByOwnerId { nodes { id } } } }')
    assert.equal(me.notesByOwnerId.nodes.length, 50)
    await pie.owner.query(`delete from app.notes where title like 'n_%'`)
  })

  test('is changed and deleted by whoever may', async () => {
    const { notes: list } = await graphqlData(
      pie,
      as(ada),
      '{ notes(orderBy: ID_ASC) { nodes { id } } }',
    )
    const { id } = list.nodes[1]
    const changed = await graphqlData(
      pie,
      { ...as(ada), variables: { id, details: { pages: 3 } } },
      'mutation ($id: BigInt!, $details: JSON) { updateNote(input: { id: $id, patch: { title: "analytical engine", details: $details } }) { note { title details } } }',
    )
    assert.deepEqual(changed.updateNote.note, { title: 'analytical engine', details: { pages: 3 } })
    const gone = await graphqlData(
      pie,
      { ...as(ada), variables: { id } },
      'mutation ($id: BigInt!) { deleteNote(input: { id: $id }) { note { title } } }',
    )
    assert.equal(gone.deleteNote.note.title, 'analytical engine')
    const { rows } = await pie.owner.query('select from app.notes where id = $1', [id])
    assert.equal(rows.length, 0)
  })

  test('has its functions', async () => {
    assert.deepEqual(await graphqlData(pie, as(ada), '{ shout(word: "pie") }'), { shout: 'PIE' })
  })

  test('changes everything that a mutation asks for, or nothing', async () => {
    const before = (await pie.owner.query('select * from app.notes order by id')).rows
    const answer = await askGraphql(
      pie,
      as(ada),
      `mutation {
        one: createNote(input: { note: { title: "kept?" } }) { note { id } }
        two: createNote(input: { note: { title: "" } }) { note { id } }
        three: createNote(input: { note: { title: "never tried" } }) { note { id } }
      }`,
    )
    assert.equal(answer.status, 200)
    assert.equal(answer.body.data, null)
    assert.equal(answer.body.errors.length, 1)
    assert.deepEqual(answer.body.errors[0].path, ['two'])
    assert.deepEqual(answer.body.errors[0].extensions, { code: 'invalid_request' })
    assert.deepEqual((await pie.owner.query('select * from app.notes order by id')).rows, before)
    const both = await graphqlData(
      pie,
      as(ada),
      `mutation {
        one: createNote(input: { note: { title: "first" } }) { note { title } }
        two: createNote(input: { note: { title: "second" } }) { query { notes(orderBy: ID_DESC, first: 2) { nodes { title } } } }
      }`,
    )
    assert.deepEqual(both.two.query.notes.nodes, [{ title: 'second' }, { title: 'first' }])
    await pie.owner.query(`delete from app.notes where title in ('first', 'second')`)
  })
})

describe('what there is', () => {
  const list =
    '{ __schema { queryType { fields { name } } mutationType { fields { name } } types { name description } } }'
  const namesOf = (data: { __schema: Record<string, { fields: { name: string }[] }> }) =>
    ['queryType', 'mutationType'].flatMap((type) =>
      (data.__schema[type]?.fields ?? []).map(({ name }) => name),
    )

  test('is what the role may touch: an admin sees more, and it is answered', async () => {
    const ofAda = namesOf(await graphqlData(pie, as(ada), list))
    const ofDorothy = namesOf(await graphqlData(pie, as(dorothy), list))
    assert.ok(ofAda.includes('notes') && !ofAda.includes('reports'))
    assert.deepEqual(ofDorothy.filter((name) => !ofAda.includes(name)).toSorted(), [
      'report',
      'reports',
    ])
    for (const name of [
      'secrets',
      'sessions',
      'passwords',
      'userDescriptions',
      'createUser',
      'deleteUser',
    ])
      assert.ok(!ofDorothy.includes(name), name)
    const { reports, users } = await graphqlData(
      pie,
      as(dorothy),
      '{ reports { nodes { body } } users { totalCount } }',
    )
    assert.deepEqual(reports.nodes, [{ body: 'all is well' }])
    assert.ok(users.totalCount >= 3)
  })

  test('is described by the comments in the database', async () => {
    const { __type: type } = await graphqlData(
      pie,
      as(ada),
      '{ __type(name: "Note") { description } }',
    )
    assert.equal(type.description, 'What somebody has written down.')
  })
})
