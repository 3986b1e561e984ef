/** Two nodes whose every connection but the listening one goes through PgBouncer, in transaction mode. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { registerByCookie, signInByCookie } from '../harness/by-cookie.ts'
import { cloneDatabase, type TestDatabase } from '../harness/cluster.ts'
import { askGraphql, graphqlData } from '../harness/graphql.ts'
import { type Browser, revoke, until, whoAmI } from '../harness/nodes.ts'
import { type PgBouncer, startPgBouncer } from '../harness/pgbouncer.ts'
import {
  type Answer,
  assertProblem,
  goodPassword,
  register,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

let database: TestDatabase
let pooler: PgBouncer
let one: TestPie
let other: TestPie
before(async () => {
  database = await cloneDatabase()
  pooler = await startPgBouncer(database.url)
  const start = () =>
    startTestPie({
      databaseUrl: database.url,
      settings: {
        DATABASE_URL: pooler.through(database.url),
        DIRECT_DATABASE_URL: database.url,
        DATABASE_CONNECTIONS: '10',
      },
    })
  one = await start()
  other = await start()
})
after(async () => {
  await other?.close()
  await one?.close()
  await pooler?.stop()
  await database.drop()
})

const me = (token: string, at = one) => at.request('/users/me', { token })
const logIn = (name: string, password = goodPassword) =>
  one.request('/auth/login', { body: { email: `${name}@example.com`, password } })
const asBrowser = ({ cookie, csrfToken, sessionId }: Awaited<ReturnType<typeof signInByCookie>>) =>
  ({ sessionId, headers: { cookie, 'x-csrf-token': csrfToken } }) satisfies Browser

test('two clients share the connections of the server, of which there are two for each role', async () => {
  await register(one, 'margaret')
  await Promise.all(Array.from({ length: 30 }, () => logIn('margaret')))
  const { rows } = await one.owner.query(
    `select usename as role, count(*)::int as count from pg_stat_activity
     where datname = current_database() and application_name = 'pie' and usename in ('pie_auth', 'cream') group by 1 order by 1`,
  )
  for (const { role, count } of rows) assert.ok(count <= 2, `${role}: ${count}`)
  assert.deepEqual(
    rows.map(({ role }) => role),
    ['cream', 'pie_auth'],
  )
  const listeners = await one.owner.query(
    `select from pg_stat_activity
     where datname = current_database() and usename = 'pie_auth' and application_name = 'pie listener'`,
  )
  assert.equal(listeners.rowCount, 2)
})

test('a person registers, signs in, is themselves, refreshes, and signs out', async () => {
  const ada = await register(one, 'ada')
  const { body: login } = await logIn('ada')
  assert.equal((await me(login.access_token, other)).body.email, 'ada@example.com')
  const renamed = await other.request('/users/me', {
    method: 'PATCH',
    token: login.access_token,
    body: { name: 'Ada' },
  })
  assert.equal(renamed.body.name, 'Ada')
  const { refresh_token } = login
  const refreshed = await other.request('/auth/refresh', { body: { refresh_token } })
  assert.equal(refreshed.status, 200, JSON.stringify(refreshed.body))
  assert.equal((await me(refreshed.body.access_token)).body.id, ada.user.id)
  const { access_token: token } = refreshed.body
  assert.equal((await one.request('/auth/logout', { method: 'POST', token })).status, 204)
  assertProblem(await me(token, other), 401, 'unauthenticated')
  assertProblem(await logIn('ada', 'not her password'), 401, 'invalid_credentials')
})

test("a browser's session works on both nodes, and is renewed when it has expired", async () => {
  const grace = await registerByCookie(one, 'grace')
  const { cookie } = grace
  const at = (node: TestPie, sent = cookie) =>
    node.request('/auth/session', { headers: { cookie: sent } })
  assert.equal((await at(other)).body.user.email, 'grace@example.com')
  await one.owner.query(
    `update pie_private.sessions set expires_at = now() - interval '1 hour' where id = $1`,
    [grace.sessionId],
  )
  await until(async () => (await at(other)).headers.getSetCookie().length > 0)
  const renewed = await at(one)
  assert.equal(renewed.status, 200)
  const [next = ''] = (renewed.headers.getSetCookie()[0] ?? '').split(';')
  assert.notEqual(next.split('.')[0], cookie.split('.')[0])
  assert.equal((await at(other, next)).body.user.email, 'grace@example.com')
})

test('a changed password ends the other sessions, on the other node within two seconds', async () => {
  await register(one, 'katherine')
  const kept = asBrowser(await signInByCookie(one, 'katherine'))
  const lost = asBrowser(await signInByCookie(other, 'katherine'))
  assert.equal((await whoAmI(other, lost)).status, 200)
  const newPassword = 'another correct horse battery'
  const changed = await one.request('/users/me/password', {
    method: 'PUT',
    headers: kept.headers,
    body: { current_password: goodPassword, new_password: newPassword },
  })
  assert.ok(changed.status < 300, JSON.stringify(changed.body))
  await until(async () => (await whoAmI(other, lost)).status === 401, 2_000)
  assertProblem(await logIn('katherine'), 401, 'invalid_credentials')
  assert.equal((await logIn('katherine', newPassword)).status, 200)
})

test('a revoked session is refused at once where it was revoked, and on the other node within two seconds', async () => {
  const session = asBrowser(await registerByCookie(one, 'dorothy'))
  assert.equal((await whoAmI(other, session)).status, 200)
  await revoke(one, session)
  assertProblem(await whoAmI(one, session), 401, 'unauthenticated')
  await until(async () => (await whoAmI(other, session)).status === 401, 2_000)
})

test('hundreds of requests of several people at once, over two connections, never see another', async () => {
  await one.owner.query(`select pie_private.grant_role('ada@example.com', 'admin')`)
  const names = ['ada', 'grace', 'margaret', 'dorothy']
  const people = await Promise.all(
    names.map(async (name): Promise<Answer['body']> => (await logIn(name)).body),
  )
  const answers = await Promise.all(
    Array.from({ length: 400 }, async (_, turn) => {
      const { access_token: token, user } = people[turn % people.length]
      const node = turn % 3 === 0 ? one : other
      if (turn % 11 === 0) {
        const refused = await node.request('/users/me', { token: `${token}x` })
        assertProblem(refused, 401, 'unauthenticated')
      }
      if (turn % 5 > 0) return { is: user.email, seen: (await me(token, node)).body.email }
      const body = { name: `${user.email} ${turn}` }
      const changed = await node.request('/users/me', { method: 'PATCH', token, body })
      assert.equal(changed.body.name, body.name, JSON.stringify(changed.body))
      return { is: user.email, seen: changed.body.email }
    }),
  )
  for (const { is, seen } of answers) assert.equal(seen, is)
  const { rows } = await one.owner.query(
    `select email, name from pie_schema.users join pie_schema.user_emails on user_id = users.id
     where name like '%@%' and name not like email || ' %'`,
  )
  assert.deepEqual(rows, [])
})

test('GraphQL reads, changes all of a mutation or nothing, and mixes nobody up', async () => {
  const people = await Promise.all(['hedy', 'karen', 'radia'].map((name) => register(one, name)))
  const rename = (id: string, name: string) =>
    `one: updateUser(input: { id: "${id}", patch: { name: "${name}" } }) { user { name } }`
  await Promise.all(
    people.flatMap(({ user, access_token: token }) =>
      Array.from({ length: 5 }, async () => {
        const { me } = await graphqlData(one, { token }, '{ me { id } }')
        assert.equal(me.id, user.id)
        const kept = await graphqlData(other, { token }, `mutation { ${rename(user.id, 'kept')} }`)
        assert.equal(kept.one.user.name, 'kept')
        const nothing = `two: updateUser(input: { id: "${user.id}", patch: {} }) { user { name } }`
        const undone = await askGraphql(
          one,
          { token },
          `mutation { ${rename(user.id, 'undone')} ${nothing} }`,
        )
        assert.equal(undone.body.data, null)
      }),
    ),
  )
  const { rows } = await one.owner.query(
    'select distinct name from pie_schema.users where id = any ($1)',
    [people.map(({ user }) => user.id)],
  )
  assert.deepEqual(rows, [{ name: 'kept' }])
})

test('after all that nobody has complained: neither a node nor the pooler', () => {
  const warnings = [...one.log, ...other.log].filter((line) => JSON.parse(line).level >= 40)
  assert.deepEqual(warnings, [])
  assert.doesNotMatch(pooler.log(), /WARNING|ERROR/)
})
