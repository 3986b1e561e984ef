import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import Fastify from 'fastify'
import { rateLimits } from '../../server/src/edge/http/rate-limit.ts'
import { readOperations } from '../harness/operations.ts'
import {
  assertProblem,
  goodPassword,
  register,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

const SCALE = 2

/** How often one network may use each open route in a minute. */
const limits: Record<string, number> = {
  'POST /auth/register': 60,
  'POST /auth/login': 60,
  'POST /auth/refresh': 300,
  'POST /auth/logout': 120,
  'GET /.well-known/jwks.json': 600,
  'GET /health/live': 600,
  'GET /health/ready': 600,
  'GET /openapi.json': 120,
  'GET /docs': 600,
  'GET /docs/static/swagger-ui.css': 600,
  'GET /docs/json': 600,
}

/** How often one session may use each other route in a minute, from one network. */
const sessionLimits: Record<string, number> = {
  'GET /auth/session': 6_000,
  'GET /auth/sessions': 120,
  'DELETE /auth/sessions/{id}': 120,
  'DELETE /auth/sessions': 60,
  'GET /auth/csrf': 1_200,
  'GET /users/me': 1_200,
  'PATCH /users/me': 120,
  'PUT /users/me/password': 60,
  'POST /graphql': 600,
}

/** Whoever may use this shows that they run the service. */
const OPERATORS = 'GET /health/cache'

let pie: TestPie
before(async () => {
  pie = await startTestPie({
    settings: { RATE_LIMIT_SCALE: String(SCALE), TRUSTED_PROXIES: '127.0.0.1' },
  })
})
after(() => pie.close())

let networks = 0
/** A network that has asked for nothing yet. */
const nextNetwork = (): Record<string, string> => {
  networks += 1
  return { 'x-forwarded-for': `198.51.100.${networks}` }
}

const ask = (method: string, path: string, headers: Record<string, string>): Promise<Response> =>
  fetch(`${pie.pie.address}${path}`, { method, headers, redirect: 'manual' })

test('the guide lists all of them', () => {
  const guide = readFileSync(new URL('../../docs/guides/production.md', import.meta.url), 'utf8')
  const rows = [...guide.matchAll(/^\| (`.*`) \| ([\d,]+) \| (network|session) \|/gm)].flatMap(
    ([, names = '', most = '', by]) =>
      names.split(', ').map((name) => [name.slice(1, -1), by, Number(most.replace(',', ''))]),
  )
  const known = [
    ...Object.entries(limits).map(([name, most]) => [name, 'network', most]),
    ...Object.entries(sessionLimits).map(([name, most]) => [name, 'session', most]),
  ].filter(([name]) => !String(name).startsWith('GET /docs/'))
  assert.deepEqual(rows.map(String).sort(), known.map(String).sort())
})

describe('every open route', () => {
  test('is one of these', async () => {
    const open = (await readOperations(pie)).filter(({ isOpen }) => isOpen)
    assert.ok(open.length >= 6)
    for (const { name } of open) assert.ok(limits[name], `${name} has no limit in this test`)
  })

  test('says how often one network may use it, times RATE_LIMIT_SCALE', async () => {
    for (const [name, limit] of Object.entries(limits)) {
      const [method = '', path = ''] = name.split(' ')
      for (const verb of method === 'GET' ? ['GET', 'HEAD'] : [method]) {
        const { headers } = await ask(verb, path, nextNetwork())
        assert.equal(headers.get('x-ratelimit-limit'), String(limit * SCALE), `${verb} ${path}`)
        assert.equal(headers.get('x-ratelimit-remaining'), String(limit * SCALE - 1))
      }
    }
  })

  test('counts what is asked for with HEAD like what is asked for with GET', async () => {
    const network = nextNetwork()
    await ask('GET', '/health/live', network)
    const { headers } = await ask('HEAD', '/health/live', network)
    assert.equal(headers.get('x-ratelimit-remaining'), String(600 * SCALE - 2))
  })

  test('turns away what is more, and does nothing for it', async () => {
    for (const [name, limit] of Object.entries(limits).filter(([, most]) => most <= 120)) {
      const [method = '', path = ''] = name.split(' ')
      const network = nextNetwork()
      const statuses = new Set<number>()
      for (let count = 0; count < limit * SCALE; count += 20) {
        const answers = await Promise.all(
          Array.from({ length: 20 }, () => ask(method, path, network)),
        )
        for (const { status } of answers) statuses.add(status)
      }
      assert.ok(!statuses.has(429), name)
      const earlier = await snapshot(pie.owner)
      const credentials = { email: 'eve@example.com', password: 'correct horse battery staple' }
      const body = method === 'POST' ? { body: credentials } : {}
      const answer = await pie.request(path, { method, headers: network, ...body })
      assertProblem(answer, 429, 'too_many_requests')
      const wait = Number(answer.headers.get('retry-after'))
      assert.ok(wait >= 1 && wait <= 60, `${name}: ${wait}`)
      assert.equal(answer.headers.get('cache-control'), 'no-store')
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
      assert.deepEqual(await snapshot(pie.owner), earlier)
      // Nobody else pays for it, and nothing else is closed to this network.
      assert.notEqual((await ask(method, path, nextNetwork())).status, 429)
      assert.equal((await ask('GET', '/health/live', network)).status, 200)
    }
  })
})

describe('every route that needs a session', () => {
  test('is one of these, and says that it may be too much', async () => {
    const closed = (await readOperations(pie)).filter(
      ({ isOpen, name }) => !isOpen && !limits[name] && name !== OPERATORS,
    )
    assert.deepEqual(new Set(closed.map(({ name }) => name)), new Set(Object.keys(sessionLimits)))
    for (const { name, statuses } of closed) assert.ok(statuses.includes('429'), name)
  })

  test('takes as much of one session from one network, times RATE_LIMIT_SCALE, and does nothing for more', async () => {
    const ada = await register(pie, 'ada')
    const body = { email: 'ada@example.com', password: goodPassword }
    const limited = Object.entries(sessionLimits).filter(([, most]) => most <= 120)
    for (const [name, limit] of limited) {
      const [method = '', documented = ''] = name.split(' ')
      const path = documented.replace('{id}', randomUUID())
      const [network, elsewhere] = [nextNetwork(), nextNetwork()]
      // In each turn another, because one of these routes ends it.
      const signedIn = await pie.request('/auth/login', { body, headers: network })
      const other = signedIn.body.access_token
      const use = (token: string, headers: Record<string, string>) =>
        pie.request(path, { method, token, headers, ...bodyFor(method) })
      for (let count = 0; count < limit * SCALE; count += 40) {
        const answers = await Promise.all(
          Array.from({ length: 40 }, () => use(ada.access_token, network)),
        )
        for (const { status } of answers) assert.notEqual(status, 429, name)
      }
      const earlier = await snapshot(pie.owner)
      const answer = await use(ada.access_token, network)
      assertProblem(answer, 429, 'too_many_requests')
      const wait = Number(answer.headers.get('retry-after'))
      assert.ok(wait >= 1 && wait <= 60, `${name}: ${wait}`)
      assert.deepEqual(await snapshot(pie.owner), earlier)
      // Neither the same person elsewhere nor what else they are signed in with pays for it.
      assert.notEqual((await use(other, network)).status, 429, name)
      assert.notEqual((await use(ada.access_token, elsewhere)).status, 429, name)
    }
  })

  test('is not to be added without', async () => {
    for (const config of [{}, { access: 'open' as const, isUnlimitedBecause: 'nobody minds' }]) {
      const app = Fastify()
      await app.register(rateLimits, { shared: null, scale: 1 })
      app.get('/new', { config }, async () => 'new')
      await assert.rejects(async () => app.ready(), /GET \/new has no rate limit/)
    }
    const app = Fastify()
    await app.register(rateLimits, { shared: null, scale: 1 })
    app.get('/new', { config: { isUnlimitedBecause: 'it is a test' } }, async () => 'new')
    await app.ready()
    await app.close()
  })
})

function bodyFor(method: string): { body?: unknown } {
  if (method === 'PATCH') return { body: { name: 'Ada' } }
  // Refused before it is looked at, so that none of it takes as long as a password.
  return method === 'PUT' ? { body: {} } : {}
}
