import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { readConfig } from '../../server/src/settings/read-config.ts'
import { type CookieHolder, registerByCookie } from '../harness/by-cookie.ts'
import { readOperations } from '../harness/operations.ts'
import { type Answer, assertProblem, snapshot, startTestPie, type TestPie } from '../harness/pie.ts'
import { runPie } from '../harness/process.ts'

const GOOD = 'https://good.com'
const ALSO_GOOD = 'http://dev.good.com:8080'

/** Origins that look like an allowed one, or that careless checks let through. */
const strangers = [
  'null',
  'https://good.com.evil.io',
  'https://evilgood.com',
  'https://good.community',
  'https://good.co',
  'https://goodXcom',
  'https://www.good.com',
  'https://evil.io',
  'http://good.com',
  'https://good.com:8443',
  'https://good.com:443',
  'https://good.com.',
  'https://GOOD.com',
  'HTTPS://good.com',
  'https://good.com/',
  'https://good.com@evil.io',
  'https://evil.io@good.com',
  'https://good.com:443@evil.io',
  'https://good.com%60.evil.io',
  'https://good.com_.evil.io',
  'https://good.com evil.io',
  'https://good.com, https://evil.io',
  'https://evil.io https://good.com',
  'https://xn--god-hoa.com',
  'good.com',
  '//good.com',
  'http://dev.good.com',
  'http://dev.good.com:80801',
  'https://dev.good.com:8080',
  'file://',
  'chrome-extension://good.com',
  '*',
  '',
]

let pie: TestPie
let ada: CookieHolder
let earlier: Record<string, string>
before(async () => {
  pie = await startTestPie({ settings: { ALLOWED_ORIGINS: `${GOOD},${ALSO_GOOD}` } })
  ada = await registerByCookie(pie, 'ada')
})
beforeEach(async () => {
  earlier = await snapshot(pie.owner)
})
after(() => pie.close())

const corsOf = ({ headers }: Answer): Record<string, string> =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')))

const preflight = (path: string, origin: string, method = 'PATCH'): Promise<Answer> =>
  pie.request(path, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'content-type,x-csrf-token',
    },
  })

/** What may be asked from another origin: answers of each kind. */
const asked = [
  ['/auth/session', 200],
  ['/auth/csrf', 200],
  ['/users/me', 200],
  ['/openapi.json', 200],
  ['/health/live', 200],
  ['/docs', 200],
  ['/nothing/here', 404],
  ['/health/cache', 401],
] as const

describe('a page of an allowed origin', () => {
  test('may read every answer with its credentials, and no cache gives it to another', async () => {
    for (const origin of [GOOD, ALSO_GOOD]) {
      for (const [path, status] of asked) {
        const answer = await pie.request(path, { headers: { origin, cookie: ada.cookie } })
        assert.equal(answer.status, status, path)
        assert.equal(answer.headers.get('access-control-allow-origin'), origin, path)
        assert.equal(answer.headers.get('access-control-allow-credentials'), 'true', path)
        assert.match(answer.headers.get('vary') ?? '', /(^|, *)Origin\b/i, path)
      }
    }
  })

  test('is told by a preflight that it may do what Pie does', async () => {
    const operations = await readOperations(pie)
    for (const { name, method, path } of operations) {
      const answer = await preflight(path, GOOD, method)
      const { 'access-control-allow-methods': methods = '', ...rest } = corsOf(answer)
      assert.equal(answer.status, 204, name)
      assert.ok(methods.split(', ').includes(method), name)
      assert.deepEqual(rest, {
        'access-control-allow-origin': GOOD,
        'access-control-allow-credentials': 'true',
        'access-control-allow-headers': 'authorization, content-type, x-csrf-token',
        'access-control-expose-headers': 'retry-after, x-request-id',
        'access-control-max-age': '7200',
      })
    }
  })

  test('changes what it has a CSRF token for, and nothing without', async () => {
    const headers = { origin: GOOD, 'sec-fetch-site': 'cross-site', cookie: ada.cookie }
    const options = { method: 'PATCH', body: { name: 'Ada' }, headers }
    assertProblem(await pie.request('/users/me', options), 403, 'csrf_token_missing')
    assert.deepEqual(await snapshot(pie.owner), earlier)
    const withToken = { ...options, headers: { ...headers, 'x-csrf-token': ada.csrfToken } }
    const answer = await pie.request('/users/me', withToken)
    assert.deepEqual([answer.status, answer.body.name], [200, 'Ada'])
  })
})

describe('a page of any other origin', () => {
  test('is told nothing that lets it read an answer, with or without credentials', async () => {
    for (const origin of strangers) {
      for (const [path, status] of asked) {
        const answer = await pie.request(path, { headers: { origin, cookie: ada.cookie } })
        assert.equal(answer.status, status, path)
        assert.deepEqual(corsOf(answer), {}, `${path} for ${origin}`)
        assert.match(answer.headers.get('vary') ?? '', /(^|, *)Origin\b/i, path)
      }
    }
  })

  test('is told by no preflight that it may do anything', async () => {
    for (const origin of strangers) {
      for (const path of ['/auth/login', '/users/me', '/nothing/here']) {
        const answer = await preflight(path, origin)
        assert.equal(answer.headers.get('access-control-allow-origin'), null, origin)
        assert.equal(answer.headers.get('access-control-allow-credentials'), null, origin)
        assert.match(answer.headers.get('vary') ?? '', /(^|, *)Origin\b/i)
      }
    }
  })

  test('changes nothing, with the right cookie and CSRF token too', async () => {
    for (const origin of strangers) {
      const headers = { origin, cookie: ada.cookie, 'x-csrf-token': ada.csrfToken }
      const options = { method: 'PATCH', body: { name: 'Eve' }, headers }
      const answer = await pie.request('/users/me', options)
      assert.equal(answer.status, 403, origin)
      assertProblem(answer, 403, 'cross_origin')
      assert.deepEqual(corsOf(answer), {}, origin)
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })
})

describe('ALLOWED_ORIGINS', () => {
  test('unset, nobody is told anything', async () => {
    const closed = await startTestPie({ databaseUrl: pie.databaseUrl })
    try {
      for (const origin of ['http://localhost:3000', GOOD, ...strangers]) {
        for (const [path, status] of asked) {
          const answer = await closed.request(path, { headers: { origin, cookie: ada.cookie } })
          assert.equal(answer.status, status, path)
          assert.deepEqual(corsOf(answer), {}, path)
        }
        const options = { method: 'OPTIONS', headers: { origin } }
        const answer = await closed.request('/auth/login', options)
        assertProblem(answer, 405, 'method_not_allowed')
        assert.deepEqual(corsOf(answer), {})
      }
    } finally {
      await closed.close()
    }
  })

  const allow = (origins: string) =>
    readConfig({ ALLOWED_ORIGINS: origins, SECRET_KEY: '' }).ALLOWED_ORIGINS

  test('with anything but exact origins is refused at start, by name', () => {
    for (const wrong of [
      '*',
      'null',
      'https://*',
      'https://*.good.com',
      'https://good.com/app',
      'https://good.com?x',
      'https://good.com#x',
      'https://good.com/*',
      'https://ada@good.com',
      'https://good.com:443',
      'https://GOOD.com',
      'https://bücher.example',
      'good.com',
      '//good.com',
      'ftp://good.com',
      'file://',
      'javascript:alert(1)',
      'https://',
      'https://good.com https://also.com',
      'https://good.com;https://also.com',
    ]) {
      for (const text of [wrong, `https://good.com,${wrong}`])
        assert.throws(
          () => allow(text),
          { name: 'OperatorError', message: /ALLOWED_ORIGINS/ },
          text,
        )
    }
  })

  test('that is wrong keeps Pie from starting, and says why', async () => {
    const settings = { ALLOWED_ORIGINS: '*', SOCKET: '127.0.0.1:0', DATABASE_URL: pie.databaseUrl }
    const { code, stderr, stdout } = await runPie(['start'], settings)
    assert.equal(code, 1)
    assert.match(stderr + stdout, /ALLOWED_ORIGINS is a scheme and a host without a path/)
  })

  test('takes exact origins, one or several', () => {
    assert.deepEqual(allow(''), [])
    assert.deepEqual(allow('https://good.com'), ['https://good.com'])
    assert.deepEqual(allow(' https://good.com/ , http://localhost:8080,http://[::1]:8080,'), [
      'https://good.com',
      'http://localhost:8080',
      'http://[::1]:8080',
    ])
    assert.deepEqual(allow('https://xn--bcher-kva.example'), ['https://xn--bcher-kva.example'])
  })
})
