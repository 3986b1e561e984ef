import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fastify } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { TestPie } from '../../../../test/harness/pie.ts'
import { type Answer, assertProblem, send, startTestPie } from '../../../../test/harness/pie.ts'
import { answerWithProblem } from './answer-with-problem.ts'
import { guard } from './guard.ts'
import type { Pie } from './pie.ts'
import { actorOf } from './request-actor.ts'

/** The guard with one token that is ours: what it lets through is a matter of routes. */
const pie = {
  keys: [],
  verifyAccessToken: async (token: string) =>
    token === 'good' ? { sessionId: 'a session', expiresAt: 0 } : null,
} as unknown as Pie

describe('a route that is added without a word about access', () => {
  const app = fastify()
  let address: string
  let reached = 0
  before(async () => {
    app.setErrorHandler(answerWithProblem)
    const reach = async () => {
      reached += 1
      return {}
    }
    app.get('/before', reach)
    await app.register(guard, { pie })
    app.get('/closed', reach)
    app.post('/closed', { schema: { body: { type: 'object' } } }, reach)
    app.route({ method: ['PUT', 'DELETE'], url: '/closed', handler: reach })
    app.get('/closed/:id', reach)
    app.get('/files/*', reach)
    app.get('/misspelt', { config: { access: 'Open' as 'open' } }, reach)
    app.get('/open', { config: { access: 'open' } }, reach)
    app.get('/who', async (request) => ({ session: actorOf(request).sessionId }))
    app.get('/open/who', { config: { access: 'open' } }, async (request) => actorOf(request))
    await app.register(async (child) => {
      child.get('/of-a-plugin', reach)
    })
    await app.register(
      fastifyPlugin(async (child) => {
        child.get('/of-a-shared-plugin', reach)
      }),
    )
    address = await app.listen({ host: '127.0.0.1', port: 0 })
  })
  after(() => app.close())

  const closed: [string, string][] = [
    ['GET', '/before'],
    ['GET', '/closed'],
    ['HEAD', '/closed'],
    ['POST', '/closed'],
    ['PUT', '/closed'],
    ['DELETE', '/closed'],
    ['GET', '/closed/1'],
    ['GET', '/files/a/b'],
    ['GET', '/misspelt'],
    ['GET', '/of-a-plugin'],
    ['GET', '/of-a-shared-plugin'],
  ]
  for (const [method, path] of closed) {
    test(`is closed: ${method} ${path}`, async () => {
      const statusWith = async (authorization: string) => {
        const headers = authorization === '' ? {} : { authorization }
        const hasBody = method !== 'GET' && method !== 'HEAD'
        const body = hasBody
          ? { body: '{}', headers: { ...headers, 'content-type': 'application/json' } }
          : { headers }
        return (await fetch(address + path, { method, ...body })).status
      }
      reached = 0
      for (const authorization of ['', 'Bearer bad', 'Basic good', 'good']) {
        assert.equal(await statusWith(authorization), 401)
      }
      assert.equal(reached, 0)
      assert.equal(await statusWith('Bearer good'), 200)
      assert.equal(reached, 1)
    })
  }

  test('is refused before its body is read', async () => {
    const answer = await send(address, '/closed', { raw: 'not JSON', method: 'POST' })
    assertProblem(answer, 401, 'unauthenticated')
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
  })

  test('is open when it says so, and then nobody is there', async () => {
    assert.equal((await send(address, '/open')).status, 200)
    assertProblem(await send(address, '/open/who', { token: 'good' }), 401, 'unauthenticated')
    assert.deepEqual((await send(address, '/who', { token: 'good' })).body, {
      session: 'a session',
    })
  })
})

describe('of Pie’s own routes', () => {
  let running: TestPie
  before(async () => {
    running = await startTestPie()
  })
  after(() => running.close())

  test('every one that the documentation does not call open needs a token', async () => {
    const { paths } = (await running.request('/openapi.json')).body
    const operations = Object.entries<Record<string, Answer['body']>>(paths).flatMap(
      ([path, methods]) =>
        Object.entries(methods).map(([method, { security }]) => ({
          name: `${method.toUpperCase()} ${path}`,
          isOpen: Array.isArray(security) && security.length === 0,
        })),
    )
    const closed = operations.filter(({ isOpen }) => !isOpen).map(({ name }) => name)
    assert.ok(closed.length >= 3 && operations.length >= 9)
    for (const name of closed) {
      const [method = '', path = ''] = name.split(' ')
      const answer = await running.request(path.replace(/\{\w+\}/g, 'x'), { method })
      assert.equal(answer.status, 401, name)
      assertProblem(answer, 401, 'unauthenticated')
    }
    assert.deepEqual(
      operations.filter(({ isOpen }) => isOpen).map(({ name }) => name),
      [
        'POST /auth/register',
        'POST /auth/login',
        'POST /auth/refresh',
        'GET /.well-known/jwks.json',
        'GET /health/live',
        'GET /health/ready',
      ],
    )
  })
})
