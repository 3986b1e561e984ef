/** The same politeness where Pie is a part of another server, beside one, or at another address. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { type FastifyInstance, fastify } from 'fastify'
import { pie as piePlugin, sessionCookieName } from '../../server/src/index.ts'
import { openSessions, type Sessions } from '../../server/src/session.ts'
import {
  type CookieHolder,
  cookieOf,
  idOfCookie,
  registerByCookie,
  renewCookie,
  signInByCookie,
} from '../harness/by-cookie.ts'
import { testSecretKey } from '../harness/cluster.ts'
import {
  type Answer,
  assertProblem,
  goodPassword,
  send,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

let pie: TestPie
let ada: CookieHolder
before(async () => {
  pie = await startTestPie()
  ada = await registerByCookie(pie, 'ada')
})
after(() => pie.close())

const proxied = { authorization: 'Basic YWRhOmFkYQ==' }

async function startApp(settings: Record<string, string>): Promise<FastifyInstance> {
  const app = fastify()
  await app.register(piePlugin, {
    settings: {
      DATABASE_URL: pie.databaseUrl,
      SECRET_KEY: testSecretKey,
      DATABASE_CONNECTIONS: '2',
      LOG_LEVEL: 'silent',
      RATE_LIMIT_SCALE: '1000',
      ...settings,
    },
  })
  app.get('/', async () => 'of the application')
  app.post('/touch', async (request) => {
    const { sessionId } = await request.pie.credential()
    return { sessionId }
  })
  return app
}

describe('with Pie inside', () => {
  let app: FastifyInstance
  let address: string
  before(async () => {
    app = await startApp({ SERVICE_DOMAIN: 'http://localhost:3000' })
    address = await app.listen({ host: '127.0.0.1', port: 0 })
  })
  after(() => app.close())
  const ask = (path: string, method: string, headers: Record<string, string>): Promise<Answer> =>
    send(address, path, { method, headers })

  test('a proxy’s credentials beside the cookie are nothing to Pie, on its routes and on the application’s', async () => {
    const headers = { cookie: ada.cookie, ...proxied }
    assert.equal((await ask('/users/me', 'GET', headers)).status, 200)
    assert.equal((await ask('/touch', 'POST', headers)).status, 403)
    const evil = { 'x-csrf-token': ada.csrfToken, origin: 'https://evil.example' }
    assert.equal((await ask('/touch', 'POST', { ...headers, ...evil })).status, 403)
    const right = await ask('/touch', 'POST', { ...headers, 'x-csrf-token': ada.csrfToken })
    assert.deepEqual([right.status, right.body.sessionId], [200, ada.sessionId])
    const wrongToken = { cookie: ada.cookie, authorization: 'Bearer nonsense' }
    assert.equal(
      (await ask('/touch', 'POST', { ...wrongToken, 'x-csrf-token': ada.csrfToken })).status,
      401,
    )
  })

  test('an empty body is none, and what is refused says what is taken', async () => {
    const headers = {
      cookie: ada.cookie,
      'x-csrf-token': ada.csrfToken,
      'content-type': 'application/json',
    }
    assert.equal((await ask('/auth/sessions', 'DELETE', headers)).status, 200)
    const plain = { ...headers, 'content-type': 'text/plain' }
    const answer = await send(address, '/auth/login', { raw: '{}', headers: plain })
    assertProblem(answer, 415, 'unsupported_media_type')
    assert.equal(answer.headers.get('accept-post'), 'application/json')
  })

  test('another tab’s token holds through a renewal, on the application’s routes too', async () => {
    const old = await signInByCookie(pie, 'ada')
    const cookie = await renewCookie(pie, old.cookie)
    const headers = { cookie, 'x-csrf-token': old.csrfToken }
    const answer = await ask('/touch', 'POST', headers)
    assert.deepEqual([answer.status, answer.body.sessionId], [200, idOfCookie(cookie)])
  })

  test('the start is the application’s', async () => {
    const answer = await ask('/', 'GET', { accept: 'text/html' })
    assert.deepEqual([answer.status, answer.body], [200, 'of the application'])
  })
})

describe('an application with Pie inside that says nothing of its origin', () => {
  const login = { email: 'ada@example.com', password: goodPassword, transport: 'cookie' }

  test('has its port in the cookie’s name, and is known by every name of this machine', async () => {
    for (const host of ['127.0.0.1', '::1', '0.0.0.0', '::', 'localhost']) {
      const app = await startApp({})
      try {
        await app.listen({ host, port: 0 })
        const port = (app.server.address() as AddressInfo).port
        const address = host.includes(':') ? `http://[::1]:${port}` : `http://127.0.0.1:${port}`
        for (const name of ['localhost', '127.0.0.1', '[::1]']) {
          const headers = { origin: `http://${name}:${port}`, 'sec-fetch-site': 'same-origin' }
          const answer = await send(address, '/auth/login', { body: login, headers })
          assert.equal(answer.status, 200, `${name} of ${host}`)
          assert.match(cookieOf(answer) ?? '', new RegExp(`^pie_session_${port}=`))
        }
        const { components } = (await send(address, '/openapi.json')).body
        assert.equal(components.securitySchemes.cookie.name, `pie_session_${port}`)
        const evil = { origin: `http://localhost:${port + 1}`, 'sec-fetch-site': 'same-site' }
        assertProblem(
          await send(address, '/auth/login', { body: login, headers: evil }),
          403,
          'cross_origin',
        )
      } finally {
        await app.close()
      }
    }
  })

  test('may listen where there is no port', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pie-socket-'))
    const app = await startApp({})
    try {
      const socketPath = join(directory, 'pie.sock')
      await app.listen({ path: socketPath })
      const sent = httpRequest({
        socketPath,
        path: '/auth/login',
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: 'http://localhost:3000' },
      })
      sent.end(JSON.stringify(login))
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      sent.on('error', reject).on('response', async (response) => {
        const cookie = response.headers['set-cookie']?.[0] ?? ''
        resolve(
          `${response.statusCode} ${cookie.slice(0, 17)} ${(await text(response)).length > 0}`,
        )
      })
      assert.equal(await promise, '200 pie_session_3000= true')
    } finally {
      await app.close()
      rmSync(directory, { recursive: true, force: true })
    }
  })
})

describe('an application beside a Pie server', () => {
  let sessions: Sessions
  before(async () => {
    const asRole = (role: string): string => {
      const url = new URL(pie.databaseUrl)
      url.username = role
      url.password = ''
      return url.href
    }
    sessions = await openSessions({
      settings: {
        SECRET_KEY: testSecretKey,
        SERVICE_DOMAIN: 'http://localhost:3000',
        AUTH_DATABASE_URL: asRole('pie_auth'),
        REQUEST_DATABASE_URL: asRole('cream'),
        DATABASE_CONNECTIONS: '2',
      },
    })
  })
  after(() => sessions.close())
  const post = (headers: Record<string, string>) => ({
    method: 'POST',
    headers: { host: 'localhost:4000', ...headers },
  })

  test('goes by the cookie where there are a proxy’s credentials, and by a bearer token alone', async () => {
    for (const authorization of ['Basic YWRhOmFkYQ==', 'Negotiate YII=', 'Basic a, Digest b']) {
      const headers = { cookie: ada.cookie, authorization }
      assert.equal((await sessions.of(post(headers)).session())?.session.id, ada.sessionId)
      const web = new Request('http://localhost:4000/', { method: 'POST', headers })
      assert.equal((await sessions.of(web).session())?.session.id, ada.sessionId)
      await assert.rejects(sessions.of(post(headers)).credential(), { code: 'csrf_token_missing' })
      const marks = { 'x-csrf-token': ada.csrfToken, 'sec-fetch-site': 'cross-site' }
      await assert.rejects(sessions.of(post({ ...headers, ...marks })).credential(), {
        code: 'cross_origin',
      })
    }
    for (const authorization of ['Bearer x', 'Basic a, Bearer x', 'Bearer'])
      for (const request of [
        post({ cookie: ada.cookie, authorization }),
        new Request('http://localhost:4000/', { headers: { cookie: ada.cookie, authorization } }),
      ])
        assert.equal(await sessions.of(request).session(), null, authorization)
  })

  test('takes another tab’s token through a renewal', async () => {
    const old = await signInByCookie(pie, 'ada')
    const cookie = await renewCookie(pie, old.cookie)
    const credential = await sessions
      .of(post({ cookie, 'x-csrf-token': old.csrfToken }))
      .credential()
    assert.equal(credential.sessionId, idOfCookie(cookie))
    const wrong = post({ cookie, 'x-csrf-token': ada.csrfToken })
    await assert.rejects(sessions.of(wrong).credential(), {
      code: 'csrf_token_invalid',
      statusCode: 403,
    })
  })

  test('takes what its own pages send, on a laptop', async () => {
    const headers = {
      cookie: ada.cookie,
      'x-csrf-token': ada.csrfToken,
      'sec-fetch-site': 'same-origin',
    }
    await sessions.of(post({ ...headers, origin: 'http://localhost:4000' })).credential()
    for (const origin of ['http://localhost:4001', 'https://localhost:4000', 'http://evil.example'])
      await assert.rejects(sessions.of(post({ ...headers, origin })).credential(), {
        code: 'cross_origin',
      })
  })
})

describe('two services on one host', () => {
  test('sign nobody out of each other, and refuse each other’s cookies', async () => {
    const origins = ['http://localhost:3000', 'http://localhost:3001', 'http://localhost']
    const services = await Promise.all(
      origins.map((origin) =>
        startTestPie({ settings: { SERVICE_DOMAIN: origin }, databaseUrl: pie.databaseUrl }),
      ),
    )
    try {
      const jar = new Map<string, string>()
      for (const service of services) {
        const { cookie } = await signInByCookie(service, 'ada')
        const [name = '', value = ''] = cookie.split('=')
        jar.set(name, value)
      }
      assert.deepEqual([...jar.keys()], ['pie_session_3000', 'pie_session_3001', 'pie_session'])
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
      const found = await Promise.all(
        services.map(
          async (service) =>
            (await service.request('/auth/session', { headers: { cookie } })).body.session.id,
        ),
      )
      assert.deepEqual(
        found,
        [...jar.values()].map((value) => value.split('.')[0]),
      )
    } finally {
      for (const service of services) await service.close()
    }
  })

  test('have each a name for its cookie, over https too', () => {
    for (const [origin, name] of [
      ['https://pie.example.com', '__Host-pie_session'],
      ['https://pie.example.com:8443', '__Host-pie_session_8443'],
      ['http://pie.example.com', 'pie_session'],
      ['http://pie.example.com:8080', 'pie_session_8080'],
      ['http://[::1]', 'pie_session'],
      ['http://[::1]:3000', 'pie_session_3000'],
    ] as const)
      assert.equal(sessionCookieName(origin), name)
  })
})

describe('a Pie server that says nothing of its origin', () => {
  test('takes the address that it prints for one of its own', async () => {
    for (const SOCKET of ['[::1]:0', '127.0.0.1:0', '0.0.0.0:0', '[::]:0', 'localhost:0']) {
      const node = await startTestPie({
        settings: { SOCKET, SERVICE_DOMAIN: '' },
        databaseUrl: pie.databaseUrl,
      })
      try {
        const { port } = new URL(node.pie.address)
        assert.match(node.pie.address, /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost):\d+$/)
        for (const origin of [node.pie.address, `http://localhost:${port}`]) {
          const headers = { cookie: '', origin, 'sec-fetch-site': 'same-origin' }
          const body = { email: 'ada@example.com', password: goodPassword, transport: 'cookie' }
          const answer = await node.request('/auth/login', { body, headers })
          assert.equal(answer.status, 200, `${origin} at ${SOCKET}`)
          assert.match(cookieOf(answer) ?? '', new RegExp(`^pie_session_${port}=`))
        }
      } finally {
        await node.close()
      }
    }
  })
})
