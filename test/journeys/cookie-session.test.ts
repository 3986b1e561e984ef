import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { until } from '../harness/nodes.ts'
import {
  type Answer,
  assertProblem,
  goodPassword,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

let pie: TestPie
before(async () => {
  pie = await startTestPie()
})
after(() => pie.close())

const cookieOf = (answer: Answer): string =>
  answer.headers.getSetCookie()[0]?.split(';')[0] ?? 'none'

const sign = (path: string, name: string, transport?: unknown, at = pie): Promise<Answer> =>
  at.request(path, {
    body: { email: `${name}@example.com`, password: goodPassword, transport },
  })

const who = (cookie: string, at = pie): Promise<Answer> =>
  at.request('/auth/session', { headers: { cookie } })

let people = 0
let name: string
beforeEach(() => {
  people += 1
  name = `ada${people}`
})

describe('"transport": "cookie"', () => {
  for (const path of ['/auth/register', '/auth/login']) {
    test(`at ${path} answers with the user, the session and a CSRF token, and no other token`, async () => {
      if (path === '/auth/login') await sign('/auth/register', name)
      const answer = await sign(path, name, 'cookie')
      assert.equal(answer.status, path === '/auth/login' ? 200 : 201)
      assert.deepEqual(Object.keys(answer.body), ['user', 'session', 'csrf_token'])
      assert.deepEqual(Object.keys(answer.body.session), ['id', 'expires_at'])
      assert.equal(answer.body.user.email, `${name}@example.com`)
      const [, signature = 'none'] = cookieOf(answer).split('.')
      assert.equal(JSON.stringify(answer.body).includes(signature), false)
      assert.equal(JSON.stringify(answer.body).includes('eyJ'), false)
      assert.equal((await who(cookieOf(answer))).status, 200)
    })

    test(`is none of the others at ${path}: tokens come without a cookie`, async () => {
      if (path === '/auth/login') await sign('/auth/register', name)
      const answer = await sign(path, name, path === '/auth/login' ? 'token' : undefined)
      const names = ['access_token', 'token_type', 'expires_in', 'refresh_token', 'user']
      assert.deepEqual(Object.keys(answer.body), names)
      assert.deepEqual(answer.headers.getSetCookie(), [])
      assert.equal(answer.headers.get('cache-control'), 'no-store')
    })

    test(`spelled otherwise is refused at ${path}, and nothing changes`, async () => {
      const earlier = await snapshot(pie.owner)
      for (const transport of ['cookies', 'Cookie', '', 'both', null, true, ['cookie'], {}])
        assertProblem(await sign(path, name, transport), 400, 'invalid_request')
      assert.deepEqual(await snapshot(pie.owner), earlier)
    })
  }
})

describe('the cookie', () => {
  const id = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'

  /** Asserts the attributes, and returns Max-Age. */
  function assertCookie(answer: Answer, cookieName: string, end: string): number {
    const cookies = answer.headers.getSetCookie()
    assert.equal(cookies.length, 1)
    const [cookie = ''] = cookies
    const value = `${id}\\.[A-Za-z0-9_-]{43}`
    const form = new RegExp(`^${cookieName}=${value}; Max-Age=(\\d+); Path=/; HttpOnly; ${end}$`)
    assert.match(cookie, form)
    assert.ok(cookie.length < 200, `${cookie.length} bytes`)
    return Number(form.exec(cookie)?.[1])
  }

  test('is HttpOnly, SameSite=Lax, for every path, and lasts as long as the session may', async () => {
    const answer = await sign('/auth/register', name, 'cookie')
    const maxAge = assertCookie(answer, 'pie_session_3000', 'SameSite=Lax')
    assert.ok(maxAge > 90 * 86_400 - 60 && maxAge <= 90 * 86_400, `Max-Age ${maxAge}`)
  })

  test('over https is Secure too, and bound to this host by its name', async () => {
    const settings = { SERVICE_DOMAIN: 'https://pie.example.com', SESSION_ABSOLUTE_TTL: '2d' }
    const secure = await startTestPie({ settings })
    try {
      const answer = await sign('/auth/register', name, 'cookie', secure)
      const maxAge = assertCookie(answer, '__Host-pie_session', 'SameSite=Lax; Secure')
      assert.ok(maxAge > 2 * 86_400 - 60 && maxAge <= 2 * 86_400, `Max-Age ${maxAge}`)
      assert.equal((await who(cookieOf(answer), secure)).status, 200)
      const unprefixed = cookieOf(answer).replace('__Host-', '')
      assertProblem(await who(unprefixed, secure), 401, 'unauthenticated')
    } finally {
      await secure.close()
    }
  })

  test('is taken away by signing out, and is good no more', async () => {
    const answer = await sign('/auth/register', name, 'cookie')
    const headers = { cookie: cookieOf(answer), 'x-csrf-token': answer.body.csrf_token }
    const logout = await pie.request('/auth/logout', { method: 'POST', headers })
    assert.equal(logout.status, 204)
    assert.deepEqual(logout.headers.getSetCookie(), [
      'pie_session_3000=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax',
    ])
    assertProblem(await who(headers.cookie), 401, 'unauthenticated')
  })
})

describe('GET /auth/session', () => {
  test('says whose session a cookie or a token is, and of what kind', async () => {
    const { body, headers } = await sign('/auth/register', name, 'cookie')
    const seen = await who(cookieOf({ status: 201, body, headers }))
    assert.equal(seen.headers.get('cache-control'), 'private, no-store')
    assert.match(seen.headers.get('vary') ?? '', /\bCookie\b/)
    assert.deepEqual(seen.body.user, body.user)
    const { id, kind, methods, assurance_level, ...times } = seen.body.session
    const said = { id, kind, methods, assurance_level }
    const own = { id: body.session.id, kind: 'browser', methods: ['pwd'], assurance_level: 1 }
    assert.deepEqual(said, own)
    assert.deepEqual(Object.keys(times), ['created_at', 'last_seen_at', 'expires_at'])

    const { access_token: token } = (await sign('/auth/login', name)).body
    const byToken = await pie.request('/auth/session', { token })
    assert.equal(byToken.body.session.kind, 'token')
    assert.deepEqual(byToken.body.user, body.user)
  })

  test('is refused to nobody, and to a token where a cookie should be', async () => {
    const { access_token: token } = (await sign('/auth/register', name)).body
    for (const headers of [{}, { cookie: `pie_session_3000=${token}` }])
      assertProblem(await pie.request('/auth/session', { headers }), 401, 'unauthenticated')
  })
})

describe('a session that is used', () => {
  /** Somebody's browser, last seen so many minutes ago, with an hour left. */
  async function seen(person: string, minutesAgo: number, left = '1 hour') {
    const answer = await sign('/auth/register', person, 'cookie')
    const { id } = answer.body.session
    await pie.owner.query(
      `update pie_private.sessions
       set last_seen_at = now() - make_interval(mins => $2), expires_at = now() + '1 hour',
           absolute_expires_at = now() + $3::interval
       where id = $1`,
      [id, minutesAgo, left],
    )
    return { id, cookie: cookieOf(answer) }
  }

  const rowOf = async (id: string) => {
    const { rows } = await pie.owner.query(
      `select version, last_seen_at > now() - interval '1 minute' as is_seen,
              extract(epoch from expires_at - now()) / 3600 as hours,
              expires_at = absolute_expires_at as is_at_limit
       from pie_private.sessions where id = $1`,
      [id],
    )
    return rows[0]
  }

  const untilSeen = (id: string) => until(async () => (await rowOf(id)).is_seen)

  test('lives on from then, and that is written at most every five minutes', async () => {
    const early = await seen(`${name}a`, 4, '30 days')
    const late = await seen(`${name}b`, 6, '30 days')
    const earlier = [await rowOf(early.id), await rowOf(late.id)]
    for (let count = 0; count < 5; count += 1) {
      assert.equal((await who(early.cookie)).status, 200)
      const answer = await who(late.cookie)
      assert.equal(answer.status, 200)
      assert.deepEqual(answer.headers.getSetCookie(), [])
      await untilSeen(late.id)
    }
    const [notYet, moved] = [await rowOf(early.id), await rowOf(late.id)]
    assert.equal(notYet.version, earlier[0].version)
    assert.equal(notYet.is_seen, false)
    assert.equal(Number(moved.version), Number(earlier[1].version) + 1)
    assert.ok(moved.hours > 23.9 && moved.hours <= 24, `${moved.hours} hours`)
  })

  test('lives on no longer than its absolute limit', async () => {
    const { id, cookie } = await seen(name, 6, '2 hours')
    await who(cookie)
    await untilSeen(id)
    assert.equal((await rowOf(id)).is_at_limit, true)
  })
})
