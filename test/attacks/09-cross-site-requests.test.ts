import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  type CookieHolder,
  isSignedIn,
  registerByCookie,
  signInByCookie,
} from '../harness/by-cookie.ts'
import { type Operation, readOperations } from '../harness/operations.ts'
import {
  assertProblem,
  goodPassword,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

/** How a browser marks what a page of another site makes it send. */
const strangers: Record<string, Record<string, string>> = {
  'another origin': { origin: 'https://evil.example' },
  'another site': { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  'a sibling domain': { origin: 'http://evil.localhost:3000', 'sec-fetch-site': 'same-site' },
  'another port': { origin: 'http://localhost:3001', 'sec-fetch-site': 'same-site' },
  'another scheme': { origin: 'https://localhost:3000', 'sec-fetch-site': 'cross-site' },
  'a sandboxed frame': { origin: 'null', 'sec-fetch-site': 'cross-site' },
  'a page that hides its origin': { origin: 'null' },
  'a link that posts': { origin: 'null', 'sec-fetch-site': 'none' },
  'another site, without an origin': { 'sec-fetch-site': 'cross-site' },
  'a sibling domain, without an origin': { 'sec-fetch-site': 'same-site' },
  'a site that is no word': { 'sec-fetch-site': 'same-origin, cross-site' },
  'two origins': { origin: 'http://localhost:3000, https://evil.example' },
  'an origin of nothing': { origin: '' },
}

/** How a browser marks what a page of Pie's own makes it send, and what a program sends. */
const ourselves: Record<string, Record<string, string>> = {
  'its own page': { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-origin' },
  'its own page by this machine’s other name': { origin: 'http://127.0.0.1:3000' },
  'its own page, whose referrer policy hides it': {
    origin: 'null',
    'sec-fetch-site': 'same-origin',
  },
  'an allowed origin': { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' },
  'a program': {},
}

let pie: TestPie
let ada: CookieHolder
let unsafe: Operation[]
let earlier: Record<string, string>
before(async () => {
  pie = await startTestPie({ settings: { ALLOWED_ORIGINS: 'https://app.example' } })
  ada = await registerByCookie(pie, 'ada')
  unsafe = (await readOperations(pie)).filter(({ method }) => method !== 'GET')
})
beforeEach(async () => {
  earlier = await snapshot(pie.owner)
})
after(() => pie.close())

/** What a form can be made to send, good enough for any operation if it were believed. */
const json = JSON.stringify({
  email: 'ada@example.com',
  password: goodPassword,
  transport: 'cookie',
})
const bodies: Record<string, string> = {
  'application/json': json,
  'text/plain': `${json.slice(0, -1)},"x":"="}`,
  'application/x-www-form-urlencoded': 'name=Eve',
  'multipart/form-data; boundary=x':
    '--x\r\ncontent-disposition: form-data; name=name\r\n\r\nEve\r\n--x--',
}

describe('a request that changes something, sent by a page of another site', () => {
  test('is refused by every operation, with the right cookie and CSRF token too', async () => {
    assert.ok(unsafe.length >= 8, unsafe.map(({ name }) => name).join())
    for (const { name, method, path } of unsafe) {
      for (const [stranger, marks] of Object.entries(strangers)) {
        for (const [type, raw] of Object.entries(bodies)) {
          const headers = {
            'content-type': type,
            cookie: ada.cookie,
            'x-csrf-token': ada.csrfToken,
          }
          const answer = await pie.request(path, { method, raw, headers: { ...headers, ...marks } })
          assert.equal(answer.body.code, 'cross_origin', `${name} from ${stranger} as ${type}`)
          assertProblem(answer, 403, 'cross_origin')
          assert.deepEqual(answer.headers.getSetCookie(), [])
        }
      }
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
    assert.ok(await isSignedIn(pie, ada.cookie))
  })

  test('is documented as refused, wherever it is', () => {
    const silent = unsafe.filter(({ statuses }) => !statuses.includes('403'))
    assert.deepEqual(silent, [])
  })

  test('is refused where a browser adds credentials of its own accord (RFC 7617)', async () => {
    // Behind a proxy that asks for a password, a browser sends Basic with whatever any page makes it send.
    for (const { name, method, path } of unsafe) {
      const headers = { authorization: 'Basic YWRhOmFkYQ==', 'content-type': 'application/json' }
      const marks = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
      const options = { method, raw: json, headers: { ...headers, ...marks, cookie: ada.cookie } }
      const answer = await pie.request(path, options)
      assert.equal(answer.body.code, 'cross_origin', name)
      assertProblem(answer, 403, 'cross_origin')
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('is taken from Pie’s own pages, allowed origins and programs', async () => {
    for (const [who, marks] of Object.entries(ourselves)) {
      const headers = { cookie: ada.cookie, 'x-csrf-token': ada.csrfToken, ...marks }
      const body = { name: `Ada by ${who}` }
      const answer = await pie.request('/users/me', { method: 'PATCH', body, headers })
      assert.equal(answer.status, 200, who)
      assert.equal(answer.body.name, body.name)
    }
  })
})

describe('signing somebody in to an account that is not theirs', () => {
  const tries = { '/auth/login': 'ada', '/auth/register': 'eve' }

  test('is refused, though there is no cookie yet', async () => {
    for (const [path, name] of Object.entries(tries)) {
      const body = { email: `${name}@example.com`, password: goodPassword, transport: 'cookie' }
      for (const [stranger, headers] of Object.entries(strangers)) {
        const answer = await pie.request(path, { body, headers })
        assert.equal(answer.body.code, 'cross_origin', `${path} from ${stranger}`)
        assertProblem(answer, 403, 'cross_origin')
        assert.deepEqual(answer.headers.getSetCookie(), [])
      }
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('is refused as whatever a form can send, where a browser marks nothing', async () => {
    const { 'application/json': _, ...forms } = bodies
    for (const path of Object.keys(tries)) {
      for (const [type, raw] of Object.entries(forms)) {
        const answer = await pie.request(path, { raw, headers: { 'content-type': type } })
        assertProblem(answer, 415, 'unsupported_media_type')
        assert.deepEqual(answer.headers.getSetCookie(), [])
      }
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('is theirs to do from Pie’s own pages, allowed origins and programs', async () => {
    const body = { email: 'ada@example.com', password: goodPassword, transport: 'cookie' }
    for (const [who, headers] of Object.entries(ourselves)) {
      const answer = await pie.request('/auth/login', { body, headers })
      assert.equal(answer.status, 200, who)
    }
  })
})

describe('signing somebody out who does not want to', () => {
  test('is refused without a CSRF token, where a browser marks nothing', async () => {
    const { cookie } = await signInByCookie(pie, 'ada')
    earlier = await snapshot(pie.owner)
    for (const [type, raw] of [
      ['application/x-www-form-urlencoded', ''],
      ['application/x-www-form-urlencoded', 'return_to=%2F'],
      ['application/json', 'null'],
    ] as const) {
      const headers = { cookie, 'content-type': type }
      const answer = await pie.request('/auth/logout', { method: 'POST', raw, headers })
      assertProblem(answer, 403, 'csrf_token_missing')
      assert.deepEqual(answer.headers.getSetCookie(), [])
    }
    const bare = await pie.request('/auth/logout', { method: 'POST', headers: { cookie } })
    assertProblem(bare, 403, 'csrf_token_missing')
    assert.deepEqual(await snapshot(pie.owner), earlier)
    assert.ok(await isSignedIn(pie, cookie))
  })

  test('is theirs to do with one', async () => {
    const { cookie, csrfToken } = await signInByCookie(pie, 'ada')
    const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await pie.request('/auth/logout', { raw: `csrf_token=${csrfToken}`, headers })
    assert.equal(answer.status, 303)
    assert.match(answer.headers.getSetCookie()[0] ?? '', /^pie_session_3000=; Max-Age=0;/)
    assert.equal(await isSignedIn(pie, cookie), false)
  })
})
