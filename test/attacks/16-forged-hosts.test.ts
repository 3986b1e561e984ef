import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { type CookieHolder, registerByCookie, signInByCookie } from '../harness/by-cookie.ts'
import { goodPassword, startTestPie, type TestPie } from '../harness/pie.ts'

/** Where a request may claim to have been sent to, or through. */
const forgeries: Record<string, Record<string, string>> = {
  Host: { host: 'evil.example' },
  'Host with a port': { host: 'localhost:3000@evil.example:81' },
  'Host with markup': { host: '"><script>evil' },
  'X-Forwarded-Host': { 'x-forwarded-host': 'evil.example' },
  'X-Forwarded-Host, several': { 'x-forwarded-host': 'evil.example, localhost:3000' },
  'X-Forwarded-Proto': { 'x-forwarded-proto': 'https' },
  'X-Forwarded-Port': { 'x-forwarded-port': '81' },
  'X-Forwarded-Prefix': { 'x-forwarded-prefix': '/evil' },
  Forwarded: { forwarded: 'for=203.0.113.66;host=evil.example;proto=https' },
  'the rest': {
    'x-original-host': 'evil.example',
    'x-host': 'evil.example',
    'x-forwarded-server': 'evil.example',
    'x-http-host-override': 'evil.example',
    'x-original-url': '/health/cache',
    'x-rewrite-url': '/health/cache',
    'x-http-method-override': 'DELETE',
    'x-forwarded-ssl': 'on',
    'front-end-https': 'on',
    'x-url-scheme': 'https',
  },
}

const json = { 'content-type': 'application/json' }
const credentials = { email: 'ada@example.com', password: goodPassword }

let pie: TestPie
/** A Pie that trusts the proxy that we are. */
let proxied: TestPie
/** Requests of each kind, with what they should not be able to bend. */
let requests: Request[]
let ada: CookieHolder
before(async () => {
  pie = await startTestPie()
  proxied = await startTestPie({
    databaseUrl: pie.databaseUrl,
    settings: { TRUSTED_PROXIES: '127.0.0.1' },
  })
  ada = await registerByCookie(pie, 'ada')
  const withCookie = { cookie: ada.cookie }
  requests = [
    { method: 'GET', path: '/openapi.json', headers: {} },
    { method: 'GET', path: '/docs', headers: {} },
    { method: 'GET', path: '/docs/', headers: {} },
    { method: 'GET', path: '/docs/static/index.html', headers: {} },
    { method: 'GET', path: '/.well-known/jwks.json', headers: {} },
    { method: 'GET', path: '/health/live', headers: {} },
    { method: 'GET', path: '/health/cache', headers: {} },
    { method: 'GET', path: '/auth/session', headers: withCookie },
    { method: 'GET', path: '/auth/sessions', headers: withCookie },
    { method: 'GET', path: '/users/me', headers: {} },
    { method: 'GET', path: '/nothing/here', headers: {} },
    { method: 'GET', path: '/%zz', headers: {} },
    { method: 'DELETE', path: '/users/me', headers: {} },
    { method: 'POST', path: '/auth/login', headers: json, body: '{' },
  ]
})
after(async () => {
  await proxied.close()
  await pie.close()
})

interface Request {
  method: string
  path: string
  headers: Record<string, string>
  body?: string
}

interface Plain {
  status: number | undefined
  headers: Record<string, unknown>
  body: string
}

/** As fetch does, which sends no Host but the right one. */
async function send(
  { pie: { address } }: TestPie,
  { method, path, headers, body }: Request,
  forged: Record<string, string>,
): Promise<Plain> {
  const all = { ...headers, ...forged }
  const sent = httpRequest(`${address}${path}`, { method, headers: all, agent: false })
  sent.end(body)
  const { promise, resolve, reject } = Promise.withResolvers<Plain>()
  sent.on('error', reject).on('response', async (response) => {
    const changing = /^(date|x-ratelimit-|x-request-id)/
    const kept = Object.entries(response.headers).filter(([name]) => !changing.test(name))
    const { statusCode: status } = response
    resolve({ status, headers: Object.fromEntries(kept), body: await text(response) })
  })
  return promise
}

describe('whatever a request says of where it was sent', () => {
  test('no answer is another for it', async () => {
    for (const node of [pie, proxied]) {
      for (const request of requests) {
        const expected = await send(node, request, {})
        for (const [what, forged] of Object.entries(forgeries)) {
          const answer = await send(node, request, forged)
          assert.deepEqual(answer, expected, `${request.method} ${request.path} with ${what}`)
        }
        assert.doesNotMatch(JSON.stringify(expected), /evil/)
      }
    }
  })

  test('tokens and cookies are of the public origin that the operator has set', async () => {
    for (const node of [pie, proxied]) {
      for (const [what, forged] of Object.entries(forgeries)) {
        const login = { method: 'POST', path: '/auth/login', headers: json }
        const byToken = await send(node, { ...login, body: JSON.stringify(credentials) }, forged)
        const { access_token: token } = JSON.parse(byToken.body)
        const payload = Buffer.from(token.split('.')[1], 'base64url').toString()
        const { iss, aud } = JSON.parse(payload)
        assert.deepEqual([iss, aud], ['http://localhost:3000', 'http://localhost:3000'], what)
        const body = JSON.stringify({ ...credentials, transport: 'cookie' })
        const byCookie = await send(node, { ...login, body }, forged)
        const [cookie = ''] = byCookie.headers['set-cookie'] as string[]
        assert.match(
          cookie,
          /^pie_session_3000=[\w.-]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/,
          what,
        )
      }
    }
  })

  test('a browser is sent to the same place', async () => {
    for (const [what, forged] of Object.entries(forgeries)) {
      const { cookie, csrfToken } = await signInByCookie(pie, 'ada')
      const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded' }
      const evil = encodeURIComponent('http://evil.example/')
      for (const [returnTo, place] of Object.entries({ [evil]: '/', '%2Faccount': '/account' })) {
        const body = `csrf_token=${csrfToken}&return_to=${returnTo}`
        const logout = { method: 'POST', path: '/auth/logout', headers, body }
        const { status, headers: answered } = await send(pie, logout, forged)
        assert.deepEqual([status, answered['location']], [303, place], what)
      }
    }
  })

  test('a page of that host is a stranger', async () => {
    for (const node of [pie, proxied]) {
      for (const [what, forged] of Object.entries(forgeries)) {
        const headers = { ...json, origin: 'http://evil.example' }
        const body = JSON.stringify({ ...credentials, transport: 'cookie' })
        const login = { method: 'POST', path: '/auth/login', headers, body }
        const answer = await send(node, login, forged)
        assert.equal(answer.status, 403, what)
        assert.equal(JSON.parse(answer.body).code, 'cross_origin')
        assert.equal(answer.headers['set-cookie'], undefined)
      }
    }
  })
})
