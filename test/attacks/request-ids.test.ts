import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { fastify } from 'fastify'
import { pino } from 'pino'
import { pie } from '../../server/src/index.ts'
import { registerByCookie } from '../harness/by-cookie.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { type RequestOptions, send, startTestPie, type TestPie } from '../harness/pie.ts'

const made = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const metricsToken = 'Rk7vQ2mXw9Lr4Tz6Nc8Yp3Ms5Dh1Gf0Jb'

let direct: TestPie
let proxied: TestPie
let counted: TestPie
before(async () => {
  direct = await startTestPie()
  const { databaseUrl } = direct
  proxied = await startTestPie({ databaseUrl, settings: { TRUSTED_PROXIES: '127.0.0.1' } })
  counted = await startTestPie({ databaseUrl, settings: { TRUSTED_PROXIES: '1' } })
})
after(async () => {
  for (const node of [counted, proxied, direct]) await node?.close()
})

/** Whatever is answered anybody, and is no probe. */
const open = '/.well-known/jwks.json'

async function idOf(node: TestPie, headers: Record<string, string>, path = open) {
  return (await node.request(path, { headers })).headers.get('x-request-id') ?? ''
}

/** The lines of requests with this id. */
async function linesOf(node: TestPie, id: string): Promise<Record<string, unknown>[]> {
  for (;;) {
    const lines = node.log
      .map((line) => JSON.parse(line))
      .filter(({ msg, reqId }) => /request$/.test(msg) && reqId === id)
    if (lines.length > 0) return lines
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe('X-Request-Id', () => {
  test('is taken from a trusted proxy, given back, and in the log', async () => {
    for (const node of [proxied, counted])
      for (const id of ['a', 'A-1_b.2', '4bf92f3577b34da6a3ce929d0e0e4736', 'x'.repeat(128)]) {
        assert.equal(await idOf(node, { 'x-request-id': id }), id)
        const [line] = await linesOf(node, id)
        assert.deepEqual([line?.['level'], line?.['status']], [30, 200])
      }
  })

  test('is a new one for whom nobody vouches', async () => {
    const id = await idOf(direct, { 'x-request-id': 'forged', 'x-forwarded-for': '127.0.0.1' })
    assert.match(id, made)
    assert.notEqual(await idOf(direct, {}), id)
    assert.ok(!direct.log.some((line) => line.includes('forged')))
  })

  test('is a new one where the proxy’s is empty, too long, or of other characters', async () => {
    for (const id of [
      '',
      ' ',
      'x'.repeat(129),
      'a b',
      'a,b',
      'a"b',
      '{}',
      'ä',
      'a/b',
      'a:b',
      'a=b',
    ])
      assert.match(await idOf(proxied, { 'x-request-id': id }), made, JSON.stringify(id))
  })

  test('is a new one where there are two, or one with control characters in it', async () => {
    const ask = async (...lines: string[]) => {
      const socket = connect(Number(new URL(proxied.pie.address).port), '127.0.0.1')
      await once(socket, 'connect')
      socket.end(
        `GET ${open} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines.join('\r\n')}\r\n\r\n`,
      )
      const answer = await text(socket)
      const ids = [...answer.matchAll(/^x-request-id: (.*)$/gim)].map(([, id = '']) => id.trim())
      assert.equal(ids.length, 1, answer)
      return ids[0] ?? ''
    }
    assert.equal(await ask('X-Request-Id: one'), 'one')
    assert.match(await ask('X-Request-Id: one', 'X-Request-Id: two'), made)
    for (const control of ['\x00', '\x1b[31m', '\x7f', '\t', '\n', '\r', '\u0085'])
      assert.match(await ask(`X-Request-Id: a${control}b`), made, JSON.stringify(control))
  })

  test('is on every answer: refused, unknown, malformed and broken ones too', async () => {
    const paths: [string, RequestOptions, number][] = [
      ['/users/me', {}, 401],
      ['/there/is/nothing', {}, 404],
      ['/users/me', { method: 'PUT', headers: { 'x-request-id': 'mine' } }, 405],
      ['/%zz', {}, 400],
      ['/auth/login', { raw: 'not JSON', headers: { 'content-type': 'application/json' } }, 400],
      [`/auth/sessions/${'x'.repeat(200)}`, { method: 'DELETE' }, 400],
    ]
    for (const [path, options, status] of paths) {
      const answer = await proxied.request(path, {
        ...options,
        headers: { ...options.headers, 'x-request-id': `on-${status}` },
      })
      assert.equal(answer.headers.get('x-request-id'), `on-${status}`, path)
      const lines = await linesOf(proxied, `on-${status}`)
      assert.ok(
        lines.some((line) => line['status'] === answer.status && line['code'] === answer.body.code),
        JSON.stringify([path, answer.status, lines]),
      )
    }
    const socket = connect(Number(new URL(proxied.pie.address).port), '127.0.0.1')
    socket.end('nonsense\r\n\r\n')
    const [, id = ''] = /^x-request-id: (\S+)/im.exec(await text(socket)) ?? []
    assert.match(id, made)
    const [line] = await linesOf(proxied, id)
    assert.deepEqual(
      [line?.['msg'], line?.['status'], line?.['code']],
      ['malformed request', 400, 'malformed_http'],
    )
  })
})

describe('the line of a request', () => {
  test('names method, route, status, milliseconds and the beginning of the session’s id, and nothing else', async () => {
    const { cookie, sessionId } = await registerByCookie(proxied, 'ada')
    const headers = { cookie, 'x-request-id': 'all-of-it' }
    const secret = 'eyJhbGciOiJIUzI1NiJ9.secret'
    await proxied.request(`/auth/session?token=${secret}&email=ada@example.com`, { headers })
    const [line = {}] = await linesOf(proxied, 'all-of-it')
    const { level, time, pid, hostname, ms, ...rest } = line
    assert.equal(typeof ms, 'number')
    assert.deepEqual(rest, {
      reqId: 'all-of-it',
      method: 'GET',
      route: '/auth/session',
      status: 200,
      session: sessionId.slice(0, 8),
      msg: 'request',
    })
    const log = proxied.log.join('')
    for (const [what, part] of Object.entries({ secret, address: 'ada@', cookie, sessionId }))
      assert.ok(!log.includes(part), what)
  })

  test('names the pattern, and not what was asked for', async () => {
    const headers = { 'x-request-id': 'pattern' }
    await proxied.request('/auth/sessions/abcdef-0123?x=y', { method: 'DELETE', headers })
    const [line = {}] = await linesOf(proxied, 'pattern')
    assert.deepEqual([line['route'], line['code']], ['/auth/sessions/:id', 'unauthenticated'])
    assert.ok(!proxied.log.join('').includes('abcdef-0123'))
  })

  test('is there once for a client that has gone, without a status', async () => {
    const socket = connect(Number(new URL(proxied.pie.address).port), '127.0.0.1')
    await once(socket, 'connect')
    // The body never comes.
    socket.write(
      'POST /auth/login HTTP/1.1\r\nHost: x\r\nX-Request-Id: gone\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    )
    // Which the node has begun to read when another one is answered.
    await proxied.request('/health/live')
    socket.destroy()
    const lines = await linesOf(proxied, 'gone')
    assert.deepEqual(
      lines.map(({ method, route, status }) => [method, route, status]),
      [['POST', '/auth/login', null]],
    )
  })

  test('is not there for a probe that is answered 200, and is for one that is not', async () => {
    const { databaseUrl } = proxied
    const settings = { METRICS_TOKEN: metricsToken, TRUSTED_PROXIES: '127.0.0.1' }
    const watched = await startTestPie({ databaseUrl, settings })
    try {
      for (const path of ['/health/live', '/health/ready', '/metrics'])
        await watched.request(path, { token: metricsToken, headers: { 'x-request-id': 'well' } })
      await idOf(watched, { 'x-request-id': 'ill' }, '/metrics')
      await idOf(watched, { 'x-request-id': 'ill' }, '/health/ready?verbose')
      await idOf(watched, { 'x-request-id': 'after' })
      await linesOf(watched, 'after')
      assert.equal((await linesOf(watched, 'ill')).length, 2)
      assert.ok(!watched.log.some((line) => line.includes('"well"')))
    } finally {
      await watched.close()
    }
  })

  test('is not there with LOG_REQUESTS=off, but what is wrong is', async () => {
    const quiet = await startTestPie({
      databaseUrl: proxied.databaseUrl,
      settings: { LOG_REQUESTS: 'off' },
    })
    try {
      assert.match(await idOf(quiet, {}), made)
      await quiet.request('/there/is/nothing')
      assert.ok(!quiet.log.some((line) => line.includes('"msg":"request"')))
      assert.ok(quiet.log.length > 0)
    } finally {
      await quiet.close()
    }
  })
})

describe('inside an application', () => {
  for (const [what, headers, given] of [
    [
      'the id of a proxy that it trusts',
      { 'x-request-id': 'of-the-proxy', 'x-forwarded-for': '203.0.113.7' },
      /^of-the-proxy$/,
    ],
    ['a new one, where its own is none', {}, made],
  ] as [string, Record<string, string>, RegExp][])
    test(`${what} is in the log as it was given back, beside the application’s own`, async () => {
      const { lines, ask } = await startApplication()
      const path = '/auth/session'
      const id = (await ask(path, headers)).headers.get('x-request-id') ?? ''
      assert.match(id, given)
      const found = () =>
        lines
          .map((line) => JSON.parse(line))
          .filter(({ requestId, msg }) => requestId === id && /^request/.test(msg))
      while (found().length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
      assert.deepEqual(
        found()
          .map(({ msg, reqId }) => `${msg}, ${reqId}`)
          .toSorted(),
        ['request completed, no form', 'request, no form'],
      )
    })
})

const applications: (() => Promise<void>)[] = []
after(async () => {
  for (const close of applications) await close()
})

/** With a log of its own, in which each request is called something that no header may have. */
async function startApplication() {
  const lines: string[] = []
  const app = fastify({
    loggerInstance: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
    trustProxy: '127.0.0.1',
    genReqId: () => 'no form',
  })
  applications.push(() => app.close())
  await app.register(pie, {
    settings: {
      DATABASE_URL: proxied.databaseUrl,
      SECRET_KEY: testSecretKey,
      DATABASE_CONNECTIONS: '2',
      LOG_REQUESTS: 'ON',
    },
  })
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    lines,
    ask: (path: string, headers: Record<string, string>) => send(address, path, { headers }),
  }
}
