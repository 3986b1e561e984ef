import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { readOperations } from '../harness/operations.ts'
import { assertProblem, snapshot, startTestPie, type TestPie } from '../harness/pie.ts'

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
