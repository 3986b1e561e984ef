/** What clients, proxies and browsers really send, and what is made of it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { type CookieHolder, isSignedIn, signInByCookie } from '../harness/by-cookie.ts'
import { readOperations } from '../harness/operations.ts'
import {
  assertProblem,
  goodPassword,
  register,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

let pie: TestPie
before(async () => {
  pie = await startTestPie()
  await register(pie, 'ada')
})
after(() => pie.close())

interface Raw {
  status: number
  head: string
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects to be there
  body: any
}

/** Sends a request as it stands, but for its first line, and reads all that comes back. */
function sendRaw(line: string, headers: Record<string, string>, body = ''): Promise<Raw> {
  const { hostname, port } = new URL(pie.pie.address)
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname).setEncoding('utf8')
    socket.on('data', (data) => {
      text += data
    })
    socket.on('error', reject)
    socket.on('close', () => {
      const [head = '', rest = ''] = text.split('\r\n\r\n')
      const isJson = /^content-type: application\/(problem\+)?json/im.test(head)
      resolve({ status: Number(head.split(' ')[1]), head, body: isJson ? JSON.parse(rest) : rest })
    })
    const all = { Host: 'localhost', Connection: 'close', ...headers }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
  })
}

/** Ways in which nothing is sent. */
const emptyBodies: Record<string, [headers: Record<string, string>, body: string]> = {
  'no length': [{}, ''],
  'a length of 0': [{ 'Content-Length': '0' }, ''],
  'no chunks': [{ 'Transfer-Encoding': 'chunked' }, '0\r\n\r\n'],
}
const types = [
  'application/json',
  'application/json; charset=utf-8',
  'application/x-www-form-urlencoded',
  'text/plain;charset=UTF-8',
  'multipart/form-data; boundary=x',
  'application/octet-stream',
  'nonsense',
  '',
]

async function forEachEmptyBody(
  work: (headers: Record<string, string>, body: string, what: string) => Promise<void>,
): Promise<void> {
  for (const [what, [headers, body]] of Object.entries(emptyBodies)) {
    await work(headers, body, what)
    for (const type of types)
      await work(
        { ...headers, 'Content-Type': type },
        body,
        `${what}, ${type || 'a type of nothing'}`,
      )
  }
}

const asHeaders = ({ cookie, csrfToken }: CookieHolder): Record<string, string> => ({
  Cookie: cookie,
  'X-CSRF-Token': csrfToken,
})

const answered = (): number => pie.log.filter((line) => line.includes('"/auth/login"')).length

describe('an empty body, whatever its type', () => {
  test('is none, where none is needed', async () => {
    const phone = await signInByCookie(pie, 'ada')
    await forEachEmptyBody(async (headers, body, what) => {
      const other = await signInByCookie(pie, 'ada')
      const one = await sendRaw(
        `DELETE /auth/sessions/${other.sessionId}`,
        { ...asHeaders(phone), ...headers },
        body,
      )
      assert.equal(one.status, 204, `DELETE /auth/sessions/{id}: ${what}`)
      const gone = await sendRaw(
        `DELETE /auth/sessions/${other.sessionId}`,
        { ...asHeaders(phone), ...headers },
        body,
      )
      assert.deepEqual([gone.status, gone.body.code], [404, 'not_found'], what)
      const all = await sendRaw('DELETE /auth/sessions', { ...asHeaders(phone), ...headers }, body)
      assert.equal(all.status, 200, `DELETE /auth/sessions: ${what}`)
      const { access_token: token } = (
        await pie.request('/auth/login', {
          body: { email: 'ada@example.com', password: goodPassword },
        })
      ).body
      const form = /urlencoded/.test(headers['Content-Type'] ?? '')
      const byToken = await sendRaw(
        'POST /auth/logout',
        { Authorization: `Bearer ${token}`, ...headers },
        body,
      )
      assert.equal(byToken.status, form ? 303 : 204, `POST /auth/logout: ${what}`)
      const browser = await signInByCookie(pie, 'ada')
      const byCookie = await sendRaw(
        'POST /auth/logout',
        { ...asHeaders(browser), ...headers },
        body,
      )
      assert.equal(byCookie.status, form ? 303 : 204, `POST /auth/logout: ${what}`)
      assert.equal(await isSignedIn(pie, browser.cookie), false)
    })
  })

  test('is missing where one is needed, and the answer says so', async () => {
    const phone = await signInByCookie(pie, 'ada')
    const needing = (await readOperations(pie)).filter(
      ({ method, path }) => method !== 'GET' && method !== 'DELETE' && path !== '/auth/logout',
    )
    assert.ok(needing.length >= 5)
    for (const { method, path, name, required } of needing)
      await forEachEmptyBody(async (headers, body, what) => {
        const { status, body: problem } = await sendRaw(
          `${method} ${path}`,
          { ...asHeaders(phone), ...headers },
          body,
        )
        assert.deepEqual([status, problem.code], [400, 'invalid_request'], `${name}: ${what}`)
        assert.match(problem.detail, /no body/)
        assert.deepEqual(
          problem.errors.map((fault: { path: string }) => fault.path),
          required.map((member) => `/${member}`),
        )
      })
  })

  test('is nothing to a path that is not there', async () => {
    await forEachEmptyBody(async (headers, body, what) => {
      const { status, body: problem } = await sendRaw('POST /nothing/here', headers, body)
      assert.deepEqual([status, problem.code], [404, 'not_found'], what)
      const other = await sendRaw('DELETE /users/me', headers, body)
      assert.deepEqual([other.status, other.body.code], [405, 'method_not_allowed'], what)
    })
  })

  test('is not one that comes late, and in pieces', async () => {
    const { hostname, port } = new URL(pie.pie.address)
    const socket = connect(Number(port), hostname).setEncoding('utf8')
    let answer = ''
    socket.on('data', (data) => {
      answer += data
    })
    const closed = once(socket, 'close')
    const text = JSON.stringify({ email: 'ada@example.com', password: goodPassword })
    const before = answered()
    socket.write(
      'POST /auth/login HTTP/1.1\r\nHost: pie\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    // Another connection is answered in between, so that this one has been read.
    await pie.request('/health/live')
    assert.equal(answered(), before)
    for (const piece of text.match(/.{1,9}/g) ?? []) {
      socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`)
      await pie.request('/health/live')
    }
    socket.write('0\r\n\r\n')
    await closed
    assert.match(answer, /^HTTP\/1\.1 200 /)
  })

  test('that never comes to its end is no fault of Pie’s', async () => {
    const { hostname, port } = new URL(pie.pie.address)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    await new Promise<void>((resolve) =>
      socket.write(
        'POST /auth/logout HTTP/1.1\r\nHost: pie\r\nTransfer-Encoding: chunked\r\n\r\n',
        () => resolve(),
      ),
    )
    socket.destroy()
    assert.equal((await pie.request('/health/live')).status, 200)
    assert.deepEqual(
      pie.log.filter((line) => JSON.parse(line).level >= 40),
      [],
    )
  })
})

describe('credentials of another scheme beside a cookie', () => {
  const schemes = [
    'Basic YWRhOmFkYQ==',
    'basic YWRhOmFkYQ==',
    'Basic',
    'Digest username="ada", realm="x", nonce="y", uri="/", response="z"',
    'Negotiate YII=',
    'NTLM TlRM',
    'ApiKey abc',
    'Token bearer',
    'BearerX abc',
    'nonsense',
    'x y z',
    '',
  ]
  let ada: CookieHolder
  before(async () => {
    ada = await signInByCookie(pie, 'ada')
  })

  test('are the proxy’s: the cookie says who asks', async () => {
    for (const authorization of schemes) {
      const headers = { cookie: ada.cookie, authorization }
      assert.equal((await pie.request('/auth/session', { headers })).status, 200, authorization)
      assert.equal((await pie.request('/users/me', { headers })).status, 200, authorization)
      const csrf = (await pie.request('/auth/csrf', { headers })).body.csrf_token
      const body = { name: 'Ada' }
      const change = (more: Record<string, string>) =>
        pie.request('/users/me', { method: 'PATCH', body, headers: { ...headers, ...more } })
      assert.equal((await change({ 'x-csrf-token': csrf })).status, 200, authorization)
      assertProblem(await change({}), 403, 'csrf_token_missing')
      for (const marks of [
        { origin: 'https://evil.example' },
        { 'sec-fetch-site': 'cross-site' },
      ] as Record<string, string>[])
        assertProblem(await change({ 'x-csrf-token': csrf, ...marks }), 403, 'cross_origin')
    }
  })

  test('let nobody in without it, and nobody is told that a token was wrong', async () => {
    for (const authorization of schemes) {
      const answer = await pie.request('/users/me', { headers: { authorization } })
      assertProblem(answer, 401, 'unauthenticated')
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer', authorization)
    }
  })

  test('two of them are still none of Pie’s', async () => {
    const { status } = await sendRaw('GET /users/me', {
      Cookie: ada.cookie,
      Authorization: 'Basic YWRhOmFkYQ==\r\nAuthorization: Negotiate YII=',
    })
    assert.equal(status, 200)
  })

  test('sign out by the cookie, with its CSRF token', async () => {
    const browser = await signInByCookie(pie, 'ada')
    const headers = { cookie: browser.cookie, authorization: 'Basic YWRhOmFkYQ==' }
    assertProblem(
      await pie.request('/auth/logout', { method: 'POST', headers }),
      403,
      'csrf_token_missing',
    )
    assert.ok(await isSignedIn(pie, browser.cookie))
    const right = { ...headers, 'x-csrf-token': browser.csrfToken }
    assert.equal(
      (await pie.request('/auth/logout', { method: 'POST', headers: right })).status,
      204,
    )
    assert.equal(await isSignedIn(pie, browser.cookie), false)
  })

  test('but a bearer token counts alone: a wrong one is 401, which says why', async () => {
    for (const authorization of [
      'Bearer nonsense',
      'bearer nonsense',
      'BEARER x y',
      'Bearer',
      'Bearer ',
      `Bearer ${ada.cookie}`,
      'Basic YWRhOmFkYQ==\r\nAuthorization: Bearer nonsense',
      'Bearer nonsense\r\nAuthorization: Basic YWRhOmFkYQ==',
    ]) {
      const { status, head, body } = await sendRaw('GET /users/me', {
        Cookie: ada.cookie,
        Authorization: authorization,
      })
      assert.deepEqual([status, body.code], [401, 'unauthenticated'], authorization)
      assert.match(head, /^www-authenticate: Bearer error="invalid_token"$/im)
      assert.match(body.detail, /Authorization.*cookie/)
    }
  })
})
