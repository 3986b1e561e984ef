import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { hashOf, proofOf, testKeys } from '../../database/test/people.ts'
import { makeCsrfToken } from '../../server/src/features/sessions/csrf-token.ts'
import { signSessionId } from '../../server/src/features/sessions/session-cookie.ts'
import { systemClock } from '../../server/src/ground/clock.ts'
import {
  type Answer,
  goodPassword,
  type RequestOptions,
  register,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

let pie: TestPie
let userId: string
/** Every route that is documented, with its method. */
let routes: { method: string; path: string }[]
before(async () => {
  pie = await startTestPie({ settings: { ALLOWED_ORIGINS: 'https://app.example.com' } })
  userId = (await register(pie, 'ada')).user.id
  const { body } = await pie.request('/openapi.json')
  routes = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  )
})
after(() => pie.close())

/** What a browser sends whose session has expired, or has not. */
async function browserHeaders(isExpired: boolean): Promise<Record<string, string>> {
  const id = randomUUID()
  await pie.owner.query(
    `select pie_private.start_session($1, $2, 'browser', $3, '{pwd}', '1 hour', '30 days', null, null)`,
    [userId, id, hashOf(proofOf(id))],
  )
  if (isExpired)
    await pie.owner.query(
      `update pie_private.sessions set expires_at = now() - interval '1 second' where id = $1`,
      [id],
    )
  return {
    cookie: `pie_session_3000=${signSessionId([testKeys], id)}`,
    'x-csrf-token': makeCsrfToken({ keys: [testKeys], clock: systemClock }, id),
    origin: 'https://app.example.com',
  }
}

/** Whether an answer sets a cookie. If so, no shared cache may keep it. */
function setsCookie(answer: Answer, of: string): boolean {
  const cookies = answer.headers.getSetCookie()
  if (cookies.length === 0) return false
  assert.equal(cookies.length, 1, of)
  assert.match(answer.headers.get('cache-control') ?? '', /\bno-store\b/, of)
  assert.match(answer.headers.get('vary') ?? '', /\bCookie\b/i, of)
  assert.match(answer.headers.get('vary') ?? '', /\bOrigin\b/i, of)
  return true
}

const bodies: Record<string, unknown> = {
  '/auth/register': { email: 'grace@example.com', password: goodPassword, transport: 'cookie' },
  '/auth/login': { email: 'ada@example.com', password: goodPassword, transport: 'cookie' },
  '/users/me': { name: 'Ada' },
  '/users/me/password': { current_password: goodPassword, new_password: 'a horse of 7 staples' },
}

describe('an answer that sets a cookie is stored by no shared cache', () => {
  /** How a request goes wrong, or right. */
  const variants: Record<string, (path: string) => RequestOptions> = {
    'a request as it should be': (path) => (bodies[path] ? { body: bodies[path] } : {}),
    'a body of another kind': () => ({ body: { nonsense: true } }),
    'a body that is no JSON': () => ({
      raw: '{',
      headers: { 'content-type': 'application/json' },
    }),
    'no CSRF token': () => ({ headers: { 'x-csrf-token': '' } }),
  }
  for (const [name, vary] of Object.entries(variants)) {
    test(`on every route, with ${name}`, async () => {
      const setting: string[] = []
      for (const { method, path } of routes) {
        const { headers, body, raw } = vary(path)
        const hasBody = method !== 'GET' && (body !== undefined || raw !== undefined)
        const answer = await pie.request(path.replace('{id}', randomUUID()), {
          method,
          ...(hasBody && { body, ...(raw !== undefined && { raw }) }),
          headers: { ...(await browserHeaders(true)), ...headers },
        })
        const line = `${method} ${path} ${answer.status}`
        assert.ok(answer.status < 500, line)
        if (setsCookie(answer, line)) setting.push(`${method} ${path}`)
      }
      // What closed routes there are: each of them has renewed the session.
      for (const route of ['GET /auth/session', 'GET /users/me', 'PATCH /users/me'])
        assert.ok(setting.includes(route), `${route} is not among ${setting}`)
      assert.equal(setting.includes('GET /health/live'), false)
    })
  }

  test('where a session ends or begins', async () => {
    await register(pie, 'edith')
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const own = await browserHeaders(false)
    const id = /=([0-9a-f-]{36})\./.exec(own['cookie'] ?? '')?.[1]
    const answers: [string, number, Answer][] = [
      [
        'signing out',
        204,
        await pie.request('/auth/logout', { method: 'POST', headers: await browserHeaders(false) }),
      ],
      [
        'signing out by form',
        303,
        await pie.request('/auth/logout', {
          raw: 'return_to=/',
          headers: { ...(await browserHeaders(false)), ...form },
        }),
      ],
      [
        'signing out this device',
        204,
        await pie.request(`/auth/sessions/${id}`, { method: 'DELETE', headers: own }),
      ],
      [
        'signing in again',
        200,
        await pie.request('/auth/login', {
          body: {
            email: 'edith@example.com',
            password: goodPassword,
            transport: 'cookie',
          },
          headers: await browserHeaders(false),
        }),
      ],
    ]
    for (const [name, status, answer] of answers) {
      assert.equal(answer.status, status, name)
      assert.ok(setsCookie(answer, name), name)
    }
  })

  test('of a HEAD request', async () => {
    const answer = await fetch(`${pie.pie.address}/auth/session`, {
      method: 'HEAD',
      headers: await browserHeaders(true),
    })
    assert.equal(answer.status, 200)
    assert.ok(setsCookie({ status: 200, headers: answer.headers, body: null }, 'HEAD'))
  })
})
