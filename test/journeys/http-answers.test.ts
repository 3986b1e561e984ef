/** What the answers say to whoever has asked in the wrong way, or does not know yet what to ask. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startBrowser } from '../harness/browser.ts'
import { type CookieHolder, registerByCookie } from '../harness/by-cookie.ts'
import { readOperations } from '../harness/operations.ts'
import { type Answer, assertProblem, startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
let secure: TestPie
let ada: CookieHolder
before(async () => {
  pie = await startTestPie({
    settings: {
      SERVICE_NAME: '<Ada’s> & "sons"',
      ALLOWED_ORIGINS: 'https://app.example',
      METRICS_TOKEN: 'b1946ac92492d2347c6235b4d2611184aa7e2f60a1',
    },
  })
  secure = await startTestPie({
    settings: { SERVICE_DOMAIN: 'https://pie.example.com' },
    databaseUrl: pie.databaseUrl,
  })
  ada = await registerByCookie(pie, 'ada')
})
after(async () => {
  await secure.close()
  await pie.close()
})

describe('every operation', () => {
  test('has a name for generated clients, which stays', async () => {
    const names = (await readOperations(pie)).map(({ name, operationId }) => [name, operationId])
    assert.deepEqual(Object.fromEntries(names), {
      'POST /auth/register': 'register',
      'POST /auth/login': 'login',
      'POST /auth/refresh': 'refreshTokens',
      'POST /auth/logout': 'logout',
      'GET /auth/session': 'getSession',
      'GET /auth/sessions': 'listSessions',
      'DELETE /auth/sessions': 'endOtherSessions',
      'DELETE /auth/sessions/{id}': 'endSession',
      'GET /auth/csrf': 'getCsrfToken',
      'GET /users/me': 'getMe',
      'PATCH /users/me': 'changeMe',
      'PUT /users/me/password': 'changePassword',
      'POST /graphql': 'runGraphql',
      'GET /.well-known/jwks.json': 'getJwks',
      'GET /health/live': 'checkLive',
      'GET /health/ready': 'checkReady',
      'GET /health/cache': 'getCacheStatus',
      'GET /metrics': 'getMetrics',
    })
    const ids = names.map(([, id]) => id ?? '')
    assert.equal(new Set(ids).size, ids.length)
    for (const id of ids) assert.match(id, /^[a-z][a-zA-Z]+$/)
  })

  test('is documented with the cookie’s right name', async () => {
    for (const [node, name] of [
      [pie, 'pie_session_3000'],
      [secure, '__Host-pie_session'],
    ] as const)
      for (const path of ['/openapi.json', '/docs/json']) {
        const { components } = (await node.request(path)).body
        assert.equal(components.securitySchemes.cookie.name, name, path)
      }
  })
})

describe('a body of another type', () => {
  const headersOf = (type: string): Record<string, string> => ({
    cookie: ada.cookie,
    'x-csrf-token': ada.csrfToken,
    ...(type !== '' && { 'content-type': type }),
  })
  const json = 'application/json'
  const both = 'application/json, application/x-www-form-urlencoded'

  test('is 415, and the answer names those that are taken', async () => {
    const taken: Record<string, string> = {
      'POST /auth/register': json,
      'POST /auth/login': json,
      'POST /auth/refresh': json,
      'POST /auth/logout': both,
      'DELETE /auth/sessions': both,
      'DELETE /auth/sessions/{id}': both,
      'PATCH /users/me': both,
      'PUT /users/me/password': both,
      'POST /graphql': json,
    }
    for (const { name, method, path } of await readOperations(pie)) {
      if (method === 'GET') continue
      for (const type of [
        'text/plain',
        'application/xml',
        'application/jsonx',
        'nonsense',
        ';',
        'text/plain; application/json',
      ]) {
        const answer = await pie.request(path, { method, raw: '{}', headers: headersOf(type) })
        assertProblem(answer, 415, 'unsupported_media_type')
        assert.equal(answer.headers.get('accept'), taken[name], `${name} ${type}`)
        assert.equal(answer.headers.get('accept-post'), method === 'POST' ? taken[name] : null)
        assert.equal(answer.headers.get('accept-patch'), method === 'PATCH' ? taken[name] : null)
        assert.match(answer.body.detail, /application\/json/)
      }
      const raw = new TextEncoder().encode('{}')
      const untyped = await pie.request(path, { method, raw, headers: headersOf('') })
      assertProblem(untyped, 415, 'unsupported_media_type')
      assert.equal(untyped.headers.get('accept'), taken[name], name)
    }
  })

  test('is taken whatever else its type says, and compressed by none', async () => {
    for (const type of [
      'application/json',
      'Application/JSON',
      'application/json ;charset=utf-8',
    ]) {
      const answer = await pie.request('/users/me', {
        method: 'PATCH',
        raw: '{"name":"Ada"}',
        headers: headersOf(type),
      })
      assert.equal(answer.status, 200, type)
    }
    const compressed = await pie.request('/users/me', {
      method: 'PATCH',
      raw: '{"name":"Ada"}',
      headers: { ...headersOf('application/json'), 'content-encoding': 'gzip' },
    })
    assertProblem(compressed, 415, 'unsupported_media_type')
    assert.equal(compressed.headers.get('accept-encoding'), 'identity')
  })
})

describe('a method that an address does not take', () => {
  test('is 405 with those that it takes, also where a part of the address is anything', async () => {
    for (const [path, allow] of [
      ['/', 'GET, HEAD'],
      ['/auth/sessions', 'GET, HEAD, DELETE'],
      ['/auth/sessions/11111111-2222-4333-8444-555555555555', 'DELETE'],
      ['/auth/sessions/x?y=z', 'DELETE'],
      ['/auth/%73essions/x', 'DELETE'],
      ['/docs/static/index.css', 'GET, HEAD'],
      ['/.well-known/jwks.json', 'GET, HEAD'],
    ] as const)
      for (const method of ['PUT', 'PATCH', 'POST', 'PROPFIND', 'QUERY']) {
        const answer = await pie.request(path, { method })
        assertProblem(answer, 405, 'method_not_allowed')
        assert.equal(answer.headers.get('allow'), allow, `${method} ${path}`)
      }
    for (const path of ['/auth/sessions/x/y', '/wellxknown/jwks.json', '/nothing'])
      for (const method of ['PUT', 'DELETE', 'GET'])
        assertProblem(await pie.request(path, { method }), 404, 'not_found')
  })
})

describe('the address of the service itself', () => {
  const chromium =
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'
  const askAs = (node: TestPie, accept: string): Promise<Answer> =>
    node.request('/', { headers: { accept } })

  test('says to a program what this is and where to read on', async () => {
    for (const accept of ['*/*', 'application/json', 'text/plain']) {
      const { status, headers, body } = await askAs(pie, accept)
      assert.equal(status, 200)
      assert.match(headers.get('content-type') ?? '', /^application\/json\b/)
      assert.equal(body.name, '<Ada’s> & "sons"')
      for (const path of [body.documentation, body.openapi, body.health, body.keys])
        assert.ok([200, 302].includes((await pie.request(path)).status), path)
    }
  })

  test('says it to a person, on a page that nothing can be smuggled into', async () => {
    const { status, headers, body } = await askAs(pie, chromium)
    assert.equal(status, 200)
    assert.equal(headers.get('content-type'), 'text/html; charset=utf-8')
    assert.match(
      headers.get('content-security-policy') ?? '',
      /^default-src 'none';style-src 'sha256-/,
    )
    assert.match(headers.get('vary') ?? '', /\bAccept\b/)
    assert.match(headers.get('vary') ?? '', /\bOrigin\b/)
    assert.match(body, /&lt;Ada’s&gt; &amp; &quot;sons&quot;/)
    assert.doesNotMatch(body, /<Ada|<script|style="|\bon\w+=/)
    assert.match(body, /Pie \d+\./)
    for (const [, path = ''] of body.matchAll(/href="([^"]+)"/g))
      assert.ok([200, 302].includes((await pie.request(path)).status), path)
  })

  test('is read with HEAD too, and names no version to the world', async () => {
    for (const accept of [chromium, '*/*']) {
      const head = await fetch(`${pie.pie.address}/`, { method: 'HEAD', headers: { accept } })
      const get = await askAs(pie, accept)
      assert.deepEqual([head.status, await head.text()], [200, ''])
      assert.equal(head.headers.get('content-type'), get.headers.get('content-type'))
      const answer = await askAs(secure, accept)
      assert.doesNotMatch(JSON.stringify(answer.body), /Pie \d/)
    }
  })

  test('is a page that its own policy lets be seen', async () => {
    const browser = await startBrowser()
    try {
      await browser.page.goTo(`${pie.pie.address}/`)
      const [title, colour, links] = await browser.page.run(
        `[document.querySelector('h1').innerText, getComputedStyle(document.querySelector('footer')).marginTop, document.links.length >= 3]`,
      )
      assert.deepEqual([title, colour, links], ['<Ada’s> & "sons"', '32px', true])
    } finally {
      await browser.close()
    }
  })
})
