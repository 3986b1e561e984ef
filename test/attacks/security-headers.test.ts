import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { registerByCookie } from '../harness/by-cookie.ts'
import { readOperations } from '../harness/operations.ts'
import { startTestPie, type TestPie } from '../harness/pie.ts'

/** What every answer says, so that nothing in it is run, framed, guessed at or told on. */
const careful: Record<string, string> = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none';form-action 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

let pie: TestPie
before(async () => {
  pie = await startTestPie({ settings: { ALLOWED_ORIGINS: 'https://app.example' } })
})
after(() => pie.close())

const saidBy = (headers: Headers): Record<string, string | null> =>
  Object.fromEntries(Object.keys(careful).map((name) => [name, headers.get(name)]))

/** Sends bytes that fetch would not, and reads the answer's headers. */
async function sendRaw(request: string): Promise<{ status: number; headers: Headers }> {
  const { hostname, port } = new URL(pie.pie.address)
  const socket = connect(Number(port), hostname)
  socket.end(request)
  const [head = ''] = (await text(socket)).split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const pairs = lines.map((line) => line.split(/: */, 2) as [string, string])
  return { status: Number(first.split(' ')[1]), headers: new Headers(pairs) }
}

describe('every answer tells browsers to be careful', () => {
  test('of every operation, whether it is refused or not', async () => {
    const { cookie, csrfToken } = await registerByCookie(pie, 'ada')
    const signedIn: Record<string, string> = { cookie, 'x-csrf-token': csrfToken }
    // Signing out last.
    const operations = (await readOperations(pie)).toSorted(
      (a, b) => Number(a.path === '/auth/logout') - Number(b.path === '/auth/logout'),
    )
    const statuses = new Set<number>()
    for (const { method, path, name } of operations) {
      for (const headers of [{}, signedIn, { origin: 'https://evil.example' }]) {
        const { status, headers: answered } = await pie.request(path, { method, headers })
        statuses.add(status)
        assert.deepEqual(saidBy(answered), careful, `${name} ${status}`)
        assert.equal(answered.get('x-powered-by'), null)
        assert.equal(answered.get('server'), null)
      }
    }
    assert.deepEqual([...statuses].toSorted(), [200, 204, 400, 401, 403, 404])
  })

  test('and of what is no operation', async () => {
    const json = { 'content-type': 'application/json' }
    const answers: [number, string, Parameters<TestPie['request']>[1]?][] = [
      [404, '/nothing/here'],
      [405, '/users/me', { method: 'POST' }],
      [400, '/auth/login', { raw: '{', headers: json }],
      [413, '/auth/login', { raw: 'x'.repeat(70_000), headers: json }],
      [415, '/auth/login', { raw: 'x', headers: { 'content-type': 'text/plain' } }],
      [200, '/openapi.json'],
      [204, '/auth/login', { method: 'OPTIONS', headers: { origin: 'https://app.example' } }],
    ]
    for (const [expected, path, options] of answers) {
      const { status, headers } = await pie.request(path, options)
      assert.equal(status, expected, path)
      assert.deepEqual(saidBy(headers), careful, `${path} ${status}`)
    }
  })

  test('and of what cannot be read as a request', async () => {
    const broken: [number, string][] = [
      [400, 'GET /%zz HTTP/1.1\r\nHost: pie\r\nConnection: close\r\n\r\n'],
      [400, 'GET /users/me%c0%af HTTP/1.1\r\nHost: pie\r\nConnection: close\r\n\r\n'],
      [400, 'NONSENSE\r\n\r\n'],
      [431, `GET / HTTP/1.1\r\nHost: pie\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
    ]
    for (const [expected, request] of broken) {
      const { status, headers } = await sendRaw(request)
      assert.equal(status, expected)
      assert.deepEqual(saidBy(headers), careful, request.slice(0, 30))
    }
  })

  test('but the reader at /docs, which runs scripts of its own and no others', async () => {
    for (const path of ['/docs', '/docs/', '/docs/static/swagger-ui-bundle.js']) {
      const { status, headers } = await pie.request(path)
      assert.equal(status, 200)
      const { 'content-security-policy': policy, ...rest } = saidBy(headers)
      const { 'content-security-policy': _, ...others } = careful
      assert.deepEqual(rest, others)
      const directives = new Map(
        (policy ?? '').split(';').map((directive) => {
          const [name = '', ...sources] = directive.trim().split(/\s+/)
          return [name, sources]
        }),
      )
      assert.deepEqual(directives.get('default-src'), ["'self'"])
      assert.deepEqual(directives.get('object-src'), ["'none'"])
      assert.deepEqual(directives.get('script-src-attr'), ["'none'"])
      const unsafe = /^'unsafe-|^\*$|^data:|^https?:/
      const scripts = directives.get('script-src') ?? []
      assert.ok(scripts.includes("'self'"))
      assert.deepEqual(
        scripts.filter((source) => unsafe.test(source)),
        [],
      )
    }
  })
})

describe('Strict-Transport-Security (RFC 6797)', () => {
  test('is said where the public origin is https, and not where it is http', async () => {
    const paths = ['/health/live', '/users/me', '/nothing/here', '/docs']
    const secure = await startTestPie({
      databaseUrl: pie.databaseUrl,
      settings: { SERVICE_DOMAIN: 'https://auth.example.com' },
    })
    try {
      for (const path of paths) {
        const { headers } = await secure.request(path)
        assert.equal(headers.get('strict-transport-security'), 'max-age=63072000', path)
        const plain = await pie.request(path, { headers: { 'x-forwarded-proto': 'https' } })
        assert.equal(plain.headers.get('strict-transport-security'), null, path)
      }
    } finally {
      await secure.close()
    }
  })
})
