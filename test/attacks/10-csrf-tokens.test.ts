import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  type CookieHolder,
  cookieOf,
  idOfCookie,
  isSignedIn,
  registerByCookie,
  renewCookie,
  signInByCookie,
  untilRenewed,
} from '../harness/by-cookie.ts'
import { readOperations } from '../harness/operations.ts'
import {
  type Answer,
  assertProblem,
  goodPassword,
  register,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

let pie: TestPie
let ada: CookieHolder
let grace: CookieHolder
before(async () => {
  pie = await startTestPie()
  ada = await registerByCookie(pie, 'ada')
  grace = await registerByCookie(pie, 'grace')
})
after(() => pie.close())

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

const rename = (cookie: string, name: string, headers: Record<string, string>) =>
  pie.request('/users/me', { method: 'PATCH', body: { name }, headers: { cookie, ...headers } })

const renameByForm = (cookie: string, fields: Record<string, string>): Promise<Answer> => {
  const raw = new URLSearchParams(fields).toString()
  return pie.request('/users/me', { method: 'PATCH', raw, headers: { cookie, ...FORM } })
}

/** As when a minute has passed since a session was renewed. */
const lookLater = (sessionId: string) =>
  pie.owner.query(
    "update pie_private.sessions set created_at = created_at - interval '61 seconds' where id = $1",
    [sessionId],
  )

const getToken = async (cookie: string): Promise<string> =>
  (await pie.request('/auth/csrf', { headers: { cookie } })).body.csrf_token

describe('a CSRF token', () => {
  test('comes with the cookie, and from GET /auth/csrf, for this browser alone', async () => {
    const answer = await pie.request('/auth/csrf', { headers: { cookie: ada.cookie } })
    assert.equal(answer.status, 200)
    assert.deepEqual(Object.keys(answer.body), ['csrf_token'])
    assert.equal(answer.headers.get('cache-control'), 'private, no-store')
    assert.match(answer.headers.get('vary') ?? '', /\bCookie\b/)
    assert.notEqual(answer.body.csrf_token, ada.csrfToken)
    assert.ok(!answer.body.csrf_token.includes(ada.sessionId))
    assertProblem(await pie.request('/auth/csrf'), 401, 'unauthenticated')
  })

  test('is taken from a header or from a form, as long as the session lasts', async () => {
    const tokens = [ada.csrfToken, await getToken(ada.cookie), await getToken(ada.cookie)]
    // An old tab's is still good when a new tab has another, and when it has been used before.
    for (const token of [...tokens, ...tokens]) {
      const byHeader = await rename(ada.cookie, 'Ada', { 'x-csrf-token': token })
      assert.deepEqual([byHeader.status, byHeader.body.name], [200, 'Ada'])
      const byForm = await renameByForm(ada.cookie, { name: 'Ada L', csrf_token: token })
      assert.deepEqual([byForm.status, byForm.body.name], [200, 'Ada L'])
    }
  })

  test('is not asked for where nothing is changed, or where a token is the credential', async () => {
    const headers = { cookie: ada.cookie }
    for (const path of ['/auth/session', '/auth/sessions', '/users/me'])
      assert.equal((await pie.request(path, { headers })).status, 200)
    const { access_token: token } = await register(pie, 'dorothy')
    const body = { name: 'Dorothy' }
    assert.equal((await pie.request('/users/me', { method: 'PATCH', body, token })).status, 200)
  })
})

describe('what changes something with a cookie is refused', () => {
  let earlier: Record<string, string>
  beforeEach(async () => {
    earlier = await snapshot(pie.owner)
  })

  const assertRefused = async (answer: Answer, code: string, why: string): Promise<void> => {
    assert.equal(answer.body.code, code, why)
    assertProblem(answer, 403, code)
    assert.deepEqual(answer.headers.getSetCookie(), [])
    assert.deepEqual(await snapshot(pie.owner), earlier, why)
  }

  test('without a token, by every closed operation', async () => {
    const closed = (await readOperations(pie)).filter((o) => o.method !== 'GET' && !o.isOpen)
    assert.ok(closed.length >= 5)
    for (const { name, method, path } of closed) {
      const answer = await pie.request(path, { method, headers: { cookie: ada.cookie } })
      await assertRefused(answer, 'csrf_token_missing', name)
    }
  })

  test('with a token anywhere but in a header or a form', async () => {
    const token = ada.csrfToken
    const query = `?csrf_token=${token}&x-csrf-token=${token}`
    const options = { method: 'PATCH', body: { name: 'Eve' }, headers: { cookie: ada.cookie } }
    const inQuery = await pie.request(`/users/me${query}`, options)
    await assertRefused(inQuery, 'csrf_token_missing', 'in the query')
    const body = { name: 'Eve', csrf_token: token }
    const inJson = await pie.request('/users/me', { ...options, body })
    await assertRefused(inJson, 'csrf_token_missing', 'in JSON')
    const cookie = `${ada.cookie}; csrf_token=${token}; x-csrf-token=${token}`
    await assertRefused(await rename(cookie, 'Eve', {}), 'csrf_token_missing', 'in a cookie')
    const other = await rename(ada.cookie, 'Eve', { 'x-xsrf-token': token, 'csrf-token': token })
    await assertRefused(other, 'csrf_token_missing', 'in another header')
    const logout = await pie.request(`/auth/logout${query}`, {
      raw: '',
      headers: { cookie: ada.cookie, ...FORM },
    })
    await assertRefused(logout, 'csrf_token_missing', 'signing out')
    assert.ok(!pie.log.join('').includes(token))
  })

  test('with the token of another session, of another user and of one’s own', async () => {
    const phone = await signInByCookie(pie, 'ada')
    earlier = await snapshot(pie.owner)
    for (const csrfToken of [grace.csrfToken, phone.csrfToken]) {
      const byHeader = await rename(ada.cookie, 'Eve', { 'x-csrf-token': csrfToken })
      await assertRefused(byHeader, 'csrf_token_invalid', 'by header')
      const byForm = await renameByForm(ada.cookie, { name: 'Eve', csrf_token: csrfToken })
      await assertRefused(byForm, 'csrf_token_invalid', 'by form')
      const logout = { method: 'POST', headers: { cookie: ada.cookie, 'x-csrf-token': csrfToken } }
      const answer = await pie.request('/auth/logout', logout)
      await assertRefused(answer, 'csrf_token_invalid', 'signing out')
    }
  })

  test('with two tokens of which one is wrong', async () => {
    const right = ada.csrfToken
    const wrong = grace.csrfToken
    const headers = { cookie: ada.cookie, ...FORM }
    const both = await pie.request('/users/me', {
      method: 'PATCH',
      raw: `name=Eve&csrf_token=${right}`,
      headers: { ...headers, 'x-csrf-token': wrong },
    })
    await assertRefused(both, 'csrf_token_invalid', 'a wrong header, a right form')
    const joined = await rename(ada.cookie, 'Eve', { 'x-csrf-token': `${right}, ${wrong}` })
    await assertRefused(joined, 'csrf_token_invalid', 'two headers')
    const raw = `name=Eve&csrf_token=${right}&csrf_token=${wrong}`
    const twice = await pie.request('/users/me', { method: 'PATCH', raw, headers })
    assertProblem(twice, 400, 'invalid_request')
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('with a token that is malformed, altered or huge', async () => {
    const [madeAt = '', random = '', signature = ''] = ada.csrfToken.split('.')
    const flip = (text: string) => `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`
    const bad = {
      'a word': 'token',
      'a dot': '..',
      'of another time': `${Number(madeAt) + 1}.${random}.${signature}`,
      'with a time of its own form': `0${madeAt}.${random}.${signature}`,
      'with other chance': `${madeAt}.${flip(random)}.${signature}`,
      'with another signature': `${madeAt}.${random}.${flip(signature)}`,
      'without a signature': `${madeAt}.${random}.`,
      'with half a signature': `${madeAt}.${random}.${signature.slice(0, 20)}`,
      'with more of it': `${ada.csrfToken}A`,
      'in other base64': `${madeAt}.${random}.${'+/'.repeat(21)}=`,
      'that is the session': ada.cookie.split('=')[1] ?? '',
      'that is the session’s id': ada.sessionId,
      huge: 'x'.repeat(10_000),
    }
    for (const [why, csrfToken] of Object.entries(bad)) {
      const byHeader = await rename(ada.cookie, 'Eve', { 'x-csrf-token': csrfToken })
      await assertRefused(byHeader, 'csrf_token_invalid', why)
      const byForm = await renameByForm(ada.cookie, { name: 'Eve', csrf_token: csrfToken })
      await assertRefused(byForm, 'csrf_token_invalid', why)
    }
    for (const csrf_token of [
      'ü',
      '\u0000',
      `${ada.csrfToken}\n`,
      ` ${ada.csrfToken}`,
      'x'.repeat(60_000),
    ]) {
      const answer = await renameByForm(ada.cookie, { name: 'Eve', csrf_token })
      await assertRefused(answer, 'csrf_token_invalid', JSON.stringify(csrf_token.slice(0, 60)))
    }
    const empty = await rename(ada.cookie, 'Eve', { 'x-csrf-token': '' })
    await assertRefused(empty, 'csrf_token_missing', 'empty')
  })
})

describe('after its session has gone, a CSRF token', () => {
  test('is worth nothing: after signing out, with the old cookie and with the next one', async () => {
    const old = await signInByCookie(pie, 'grace')
    const { csrfToken } = old
    const headers = { cookie: old.cookie, 'x-csrf-token': csrfToken }
    assert.equal((await pie.request('/auth/logout', { method: 'POST', headers })).status, 204)
    assertProblem(await rename(old.cookie, 'Eve', headers), 401, 'unauthenticated')
    const next = await signInByCookie(pie, 'grace')
    const earlier = await snapshot(pie.owner)
    const answer = await rename(next.cookie, 'Eve', { 'x-csrf-token': csrfToken })
    assertProblem(answer, 403, 'csrf_token_invalid')
    assert.deepEqual(await snapshot(pie.owner), earlier)
    assert.ok(await isSignedIn(pie, next.cookie))
  })

  test('still lets other tabs’ requests through while the renewal may be repeated', async () => {
    const old = await signInByCookie(pie, 'grace')
    // As when the owner's roles change: the session is renewed by its next request.
    await pie.owner.query('update pie_private.sessions set expires_at = now() where id = $1', [
      old.sessionId,
    ])
    const headers = { 'x-csrf-token': old.csrfToken }
    const renewing = await rename(old.cookie, 'Grace the renewed', headers)
    assert.deepEqual([renewing.status, renewing.body.name], [200, 'Grace the renewed'])
    const [cookie = ''] = (renewing.headers.getSetCookie()[0] ?? '').split(';')
    assert.notEqual(cookie, old.cookie)
    // One that was sent at the same time.
    assert.equal((await rename(old.cookie, 'Grace again', headers)).status, 200)

    // Another tab: it has the next cookie, as the browser has, and the token that it was made with.
    assert.equal((await rename(cookie, 'Grace in another tab', headers)).status, 200)
    const byForm = await renameByForm(cookie, { name: 'Grace', csrf_token: old.csrfToken })
    assert.equal(byForm.status, 200)
    const next = { 'x-csrf-token': await getToken(cookie) }
    assert.equal((await rename(cookie, 'Grace', next)).status, 200)

    await lookLater(idOfCookie(cookie))
    const earlier = await snapshot(pie.owner)
    const late = await rename(cookie, 'Eve', headers)
    assertProblem(late, 403, 'csrf_token_invalid')
    assert.match(late.body.detail, /the page is an old one. GET \/auth\/csrf/)
    assert.equal(late.body.csrf_token_url, '/auth/csrf')
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('of a session further back in the line holds where each renewal is recent', async () => {
    const first = await signInByCookie(pie, 'grace')
    const second = await renewCookie(pie, first.cookie)
    const third = await renewCookie(pie, second)
    assert.equal((await rename(third, 'Grace', { 'x-csrf-token': first.csrfToken })).status, 200)
    await lookLater(idOfCookie(second))
    const late = await rename(third, 'Eve', { 'x-csrf-token': first.csrfToken })
    assertProblem(late, 403, 'csrf_token_invalid')
  })

  test('signs out the session that has followed upon its own', async () => {
    const first = await signInByCookie(pie, 'grace')
    const second = await renewCookie(pie, first.cookie)
    const headers = { cookie: second, 'x-csrf-token': first.csrfToken }
    assert.equal((await pie.request('/auth/logout', { method: 'POST', headers })).status, 204)
    assert.equal(await isSignedIn(pie, second), false)
  })

  test('holds after a change of roles, as that renews every browser of the user’s', async () => {
    const { rows } = await pie.owner.query(
      "select pie_private.grant_role('grace@example.com', 'viewer')",
    )
    assert.equal(rows.length, 1)
    const old = await signInByCookie(pie, 'grace')
    await pie.owner.query("select pie_private.revoke_role('grace@example.com', 'viewer')")
    const tab = await untilRenewed(pie, old.cookie)
    assert.equal((await rename(tab, 'Grace', { 'x-csrf-token': old.csrfToken })).status, 200)
  })

  test('is worth nothing with a session that has not followed upon its own, however near', async () => {
    const mine = await signInByCookie(pie, 'grace')
    const phone = await signInByCookie(pie, 'grace')
    const hers = await signInByCookie(pie, 'ada')
    const [nextOfMine, nextOfPhone, nextOfHers] = [
      await renewCookie(pie, mine.cookie),
      await renewCookie(pie, phone.cookie),
      await renewCookie(pie, hers.cookie),
    ]
    const earlier = await snapshot(pie.owner)
    for (const [cookie, csrfToken] of [
      [nextOfMine, phone.csrfToken],
      [nextOfMine, hers.csrfToken],
      [nextOfPhone, mine.csrfToken],
      [nextOfHers, mine.csrfToken],
      // Of the next one, at the cookie of the one before.
      [mine.cookie, await getToken(nextOfPhone)],
    ] as const)
      assertProblem(
        await rename(cookie, 'Eve', { 'x-csrf-token': csrfToken }),
        403,
        'csrf_token_invalid',
      )
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('is worth nothing once its own session has been ended, or another password been set', async () => {
    const old = await signInByCookie(pie, 'grace')
    const cookie = await renewCookie(pie, old.cookie)
    await pie.owner.query(
      "update pie_private.sessions set revoked_at = now(), revoked_reason = 'logout' where id = $1",
      [old.sessionId],
    )
    const answer = await rename(cookie, 'Eve', { 'x-csrf-token': old.csrfToken })
    assertProblem(answer, 403, 'csrf_token_invalid')

    const before = await signInByCookie(pie, 'grace')
    const renewed = await renewCookie(pie, before.cookie)
    const change = await pie.request('/users/me/password', {
      method: 'PUT',
      body: { current_password: goodPassword, new_password: goodPassword },
      headers: { cookie: renewed, 'x-csrf-token': before.csrfToken },
    })
    assert.equal(change.status, 200)
    const after = cookieOf(change) ?? ''
    const earlier = await snapshot(pie.owner)
    for (const csrfToken of [before.csrfToken, old.csrfToken]) {
      const headers = { 'x-csrf-token': csrfToken }
      assertProblem(await rename(after, 'Eve', headers), 403, 'csrf_token_invalid')
      assertProblem(await rename(renewed, 'Eve', headers), 401, 'unauthenticated')
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })
})
