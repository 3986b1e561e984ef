import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type FastifyInstance, fastify } from 'fastify'
import pg from 'pg'
import { pie, problemHandler } from '../../server/src/index.ts'
import { cloneDatabase, testSecretKey } from '../harness/cluster.ts'
import { readMetrics } from '../harness/metrics.ts'
import {
  type Answer,
  assertProblem,
  goodPassword,
  type RequestOptions,
  send,
} from '../harness/pie.ts'

const metricsToken = 'Rk7vQ2mXw9Lr4Tz6Nc8Yp3Ms5Dh1Gf0Jb'

let app: FastifyInstance
let address: string
let owner: pg.Client
let drop: () => Promise<void>

/** An application with a table of its own, which uses Pie for who may do what. */
before(async () => {
  const database = await cloneDatabase()
  drop = database.drop
  owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
  await owner.query(`
    create schema app;
    grant usage on schema app to webuser;
    create table app.notes (
      owner uuid not null default pie_schema.current_user_id(),
      title text not null unique
    );
    alter table app.notes enable row level security;
    create policy notes_own on app.notes to webuser using (owner = (select pie_schema.current_user_id()));
    grant select on app.notes to webuser;
    grant insert (title) on app.notes to webuser`)

  app = fastify({ trustProxy: '127.0.0.1', genReqId: () => 'of-the-application' })
  await app.register(pie, {
    settings: {
      DATABASE_URL: database.url,
      SECRET_KEY: testSecretKey,
      DATABASE_CONNECTIONS: '2',
      LOG_LEVEL: 'silent',
      RATE_LIMIT_SCALE: '1000',
      SERVICE_DOMAIN: 'http://localhost:3000',
      METRICS_TOKEN: metricsToken,
    },
  })
  app.get('/', async (request) => ({
    hello: (await request.pie.session())?.user.email ?? 'stranger',
  }))
  app.get(
    '/notes',
    async (request) => (await request.pie.query('select title from app.notes order by title')).rows,
  )
  app.post<{ Body: { titles: string[] } }>('/notes', async (request) =>
    request.pie.transaction(async (tx) => {
      for (const title of request.body.titles)
        await tx.query('insert into app.notes (title) values ($1)', [title])
      return { added: request.body.titles.length }
    }),
  )
  app.get(
    '/double',
    { schema: { querystring: { type: 'object', properties: { of: { type: 'integer' } } } } },
    async (request) => ({ double: 2 * (request.query as { of: number }).of }),
  )
  app.get('/broken', async () => {
    throw new Error('of the application')
  })
  await app.register(async (careful) => {
    careful.setErrorHandler(problemHandler)
    careful.get('/careful/notes', (request) => request.pie.query('select * from app.nothing'))
    careful.get('/careful/slow', (request) =>
      request.pie.transaction(async (tx) => {
        await tx.query("select set_config('statement_timeout', '50ms', true)")
        await tx.query('select pg_sleep(60)')
      }),
    )
    careful.get('/careful/forbidden', (request) => request.pie.query('delete from app.notes'))
    careful.get('/careful/raised', (request) => {
      const { code } = request.query as { code: string }
      return request.pie.query(
        `do $$ begin raise exception 'No seats left.' using errcode = '${code}', detail = 'Of 40.', hint = 'Try another day.', table = 'seats'; end $$`,
      )
    })
    careful.get('/careful/me', (request) => request.pie.query('select 1'))
  })
  address = await app.listen({ host: '127.0.0.1', port: 0 })
})
after(async () => {
  await app?.close()
  await owner?.end()
  await drop?.()
})

const ask = (path: string, options?: RequestOptions): Promise<Answer> =>
  send(address, path, options)

/** Signs somebody up through Pie's own route, in the application's server. */
async function addUser(name: string, transport?: 'cookie'): Promise<Answer> {
  const body = {
    email: `${name}@example.com`,
    password: goodPassword,
    ...(transport && { transport }),
  }
  const answer = await ask('/auth/register', { body })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer
}
const cookieOf = ({ headers }: Answer): string => headers.get('set-cookie')?.split(';')[0] ?? ''
const titles = async () =>
  (await owner.query('select title from app.notes order by title')).rows.map(({ title }) => title)

describe('an application with Pie inside', () => {
  test('serves Pie’s routes and its own, and knows who asks', async () => {
    const { body } = await addUser('ada')
    assert.deepEqual((await ask('/', { token: body.access_token })).body, {
      hello: 'ada@example.com',
    })
    assert.deepEqual((await ask('/')).body, { hello: 'stranger' })
    assert.equal(
      (await ask('/users/me', { token: body.access_token })).body.email,
      'ada@example.com',
    )
    assert.equal((await ask('/openapi.json')).status, 200)
  })

  test('shows metrics of Pie’s routes to whoever has METRICS_TOKEN', async () => {
    await ask('/users/me')
    await ask('/notes')
    assertProblem(await ask('/metrics'), 401, 'unauthenticated')
    const found = readMetrics(await ask('/metrics', { token: metricsToken }))
    const routes = found
      .get('pie_http_request_duration_seconds_count')
      ?.map(({ labels }) => labels['route'])
    assert.ok(routes?.includes('/users/me'))
    assert.ok(!routes?.includes('/notes'))
  })

  test('gives a request’s id back on Pie’s routes: the trusted proxy’s, or the application’s own', async () => {
    const idOf = async (path: string, headers: Record<string, string>) =>
      (await ask(path, { headers })).headers.get('x-request-id')
    const proxied = { 'x-request-id': 'of-the-proxy', 'x-forwarded-for': '203.0.113.7' }
    assert.equal(await idOf('/health/live', proxied), 'of-the-proxy')
    assert.equal(
      await idOf('/health/live', { ...proxied, 'x-request-id': 'a b' }),
      'of-the-application',
    )
    assert.equal(
      await idOf('/health/live', { 'x-request-id': 'of-somebody' }),
      'of-the-application',
    )
    assert.equal(await idOf('/', proxied), null)
  })

  test('works on its own tables as the session’s user', async () => {
    const grace = (await addUser('grace')).body.access_token
    const lise = (await addUser('lise')).body.access_token
    const added = await ask('/notes', { token: grace, body: { titles: ['a', 'b'] } })
    assert.deepEqual(added.body, { added: 2 })
    assert.deepEqual((await ask('/notes', { token: grace })).body, [{ title: 'a' }, { title: 'b' }])
    assert.deepEqual((await ask('/notes', { token: lise })).body, [])
  })

  test('keeps nothing of a request that fails halfway', async () => {
    const { body } = await addUser('mary')
    const earlier = await titles()
    const failed = await ask('/notes', { token: body.access_token, body: { titles: ['c', 'c'] } })
    assert.equal(failed.status, 500)
    assert.deepEqual(await titles(), earlier)
  })

  test('is answered 401 for nobody, and for a session that has been ended', async () => {
    assertRefused(await ask('/notes'), 401, 'unauthenticated')
    const { body } = await addUser('emmy')
    assert.equal((await ask('/notes', { token: body.access_token })).status, 200)
    await owner.query(
      `delete from pie_private.sessions using pie_schema.user_emails
       where user_emails.user_id = sessions.user_id and email = 'emmy@example.com'`,
    )
    assertRefused(await ask('/notes', { token: body.access_token }), 401, 'unauthenticated')
  })

  test('needs a CSRF token where a cookie changes something, and is private', async () => {
    const signedIn = await addUser('dorothy', 'cookie')
    const cookie = cookieOf(signedIn)
    const read = await ask('/notes', { headers: { cookie } })
    assert.equal(read.status, 200)
    assert.match(read.headers.get('cache-control') ?? '', /private, no-store/)

    const earlier = await titles()
    const body = { titles: ['by cookie'] }
    assertRefused(await ask('/notes', { headers: { cookie }, body }), 403, 'csrf_token_missing')
    const forged = { cookie, 'x-csrf-token': 'forged' }
    assertRefused(await ask('/notes', { headers: forged, body }), 403, 'csrf_token_invalid')
    const foreign = {
      cookie,
      origin: 'https://evil.example',
      'x-csrf-token': signedIn.body.csrf_token,
    }
    assertRefused(await ask('/notes', { headers: foreign, body }), 403, 'cross_origin')
    assert.deepEqual(await titles(), earlier)

    const own = { cookie, 'x-csrf-token': signedIn.body.csrf_token }
    assert.equal((await ask('/notes', { headers: own, body })).status, 200)
    const inBody = { titles: ['by form'], csrf_token: signedIn.body.csrf_token }
    assert.equal((await ask('/notes', { headers: { cookie }, body: inBody })).status, 200)
  })

  test('keeps its own ways: headers, errors and schemas are not Pie’s', async () => {
    const hello = await ask('/')
    assert.equal(hello.headers.get('content-security-policy'), null)
    assert.notEqual((await ask('/auth/session')).headers.get('content-security-policy'), null)
    assert.deepEqual((await ask('/double?of=21')).body, { double: 42 })
    const broken = await ask('/broken')
    assert.deepEqual([broken.status, broken.body.message], [500, 'of the application'])
    const strict = await ask('/auth/login', { body: { email: 1, password: 'x' } })
    assertProblem(strict, 400, 'invalid_request')
    assert.equal((await ask('/nothing')).status, 404)
  })

  test('may answer as Pie does, and then tells nothing of its insides', async () => {
    const token = (await addUser('sophie')).body.access_token
    assertProblem(await ask('/careful/me'), 401, 'unauthenticated')
    assertProblem(await ask('/careful/notes', { token }), 500, 'internal')
    assertProblem(await ask('/careful/slow', { token }), 503, 'timeout')
    assertProblem(await ask('/careful/forbidden', { token }), 403, 'forbidden')
    assert.equal((await ask('/careful/me', { token })).status, 200)
  })

  test('and passes on what its own SQL raises for its clients, by its SQLSTATE', async () => {
    const token = (await addUser('hedy')).body.access_token
    const { status, body } = await ask('/careful/raised?code=AP001', { token })
    assert.equal(status, 422)
    assert.deepEqual(body, {
      type: 'urn:pie:error:refused_by_application',
      title: 'The application refuses this.',
      status: 422,
      code: 'refused_by_application',
      detail: 'No seats left.',
      sqlstate: 'AP001',
      explanation: 'Of 40.',
      hint: 'Try another day.',
    })
    for (const [code, answer, name] of [
      ['P0001', 422, 'refused_by_application'],
      ['AQ001', 500, 'internal'],
      ['XX123', 500, 'internal'],
    ] as const) {
      const hidden = await ask(`/careful/raised?code=${code}`, { token })
      assertProblem(hidden, answer, name)
      assert.doesNotMatch(JSON.stringify(hidden.body), /seats|Of 40|another day/)
    }
  })
})

function assertRefused({ status, body }: Answer, wanted: number, code: string): void {
  assert.deepEqual([status, body.code], [wanted, code], JSON.stringify(body))
}
