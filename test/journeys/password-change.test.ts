import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  type Answer,
  assertProblem,
  goodPassword,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

const newPassword = 'an even better horse with 2 staples'

let pie: TestPie
before(async () => {
  pie = await startTestPie()
})
after(() => pie.close())

const cookieOf = (answer: Answer): string =>
  answer.headers.getSetCookie()[0]?.split(';')[0] ?? 'none'

let people = 0
let email: string
let laptop: { cookie: string; 'x-csrf-token': string }
let laptopId: string
let client: Answer['body']

beforeEach(async () => {
  people += 1
  email = `person${people}@example.com`
  const answer = await signIn({ transport: 'cookie' }, '/auth/register')
  laptop = { cookie: cookieOf(answer), 'x-csrf-token': answer.body.csrf_token }
  laptopId = answer.body.session.id
  client = (await signIn()).body
})

const signIn = (more: object = {}, path = '/auth/login'): Promise<Answer> =>
  pie.request(path, { body: { email, password: goodPassword, ...more } })

const change = (
  who: { token?: string; headers?: Record<string, string> } = { headers: laptop },
  body: object = {},
): Promise<Answer> =>
  pie.request('/users/me/password', {
    method: 'PUT',
    ...who,
    body: { current_password: goodPassword, new_password: newPassword, ...body },
  })

const me = async (who: { token?: string; headers?: Record<string, string> }): Promise<number> =>
  (await pie.request('/users/me', who)).status

const unchanged = () => snapshot(pie.owner, ['pie_private.throttles'])

describe('changing a password', () => {
  test('with a cookie gives another cookie of another session, and no token', async () => {
    const answer = await change()
    assert.equal(answer.status, 200)
    assert.deepEqual(Object.keys(answer.body), ['user', 'session', 'csrf_token'])
    assert.notEqual(answer.body.session.id, laptopId)
    assert.equal(answer.headers.get('cache-control'), 'private, no-store')
    assert.match(answer.headers.get('vary') ?? '', /\bCookie\b/)
    const next = { cookie: cookieOf(answer), 'x-csrf-token': answer.body.csrf_token }
    assert.equal(await me({ headers: next }), 200)
    assertProblem(await pie.request('/users/me', { headers: laptop }), 401, 'unauthenticated')
    const rename = { method: 'PATCH', headers: next, body: { name: 'Ada' } }
    assert.equal((await pie.request('/users/me', rename)).status, 200)
  })

  test('with a token gives tokens of another session, and no cookie', async () => {
    const answer = await change({ token: client.access_token })
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.headers.getSetCookie(), [])
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    const { access_token, refresh_token } = answer.body
    assert.equal(await me({ token: access_token }), 200)
    assert.equal((await pie.request('/auth/refresh', { body: { refresh_token } })).status, 200)
    assert.equal(await me({ token: client.access_token }), 401)
    const old = { refresh_token: client.refresh_token }
    assertProblem(await pie.request('/auth/refresh', { body: old }), 401, 'invalid_refresh_token')
  })

  test('ends every other session with it, also one that only a renewal would bring back', async () => {
    const phone = cookieOf(await signIn({ transport: 'cookie' }))
    const phoneId = phone.slice('pie_session_3000='.length).split('.')[0]
    await pie.owner.query(
      `update pie_private.sessions set expires_at = now() - interval '1 day' where id = $1`,
      [phoneId],
    )
    const answer = await change()
    assert.equal(answer.status, 200)
    assert.equal(await me({ headers: { cookie: phone } }), 401)
    assert.equal(await me({ token: client.access_token }), 401)
    const { rows } = await pie.owner.query(
      `select sessions.id, revoked_reason as reason, changed_at = revoked_at as is_same_transaction
       from pie_private.sessions join pie_private.passwords using (user_id)
       where user_id = $1 order by sessions.created_at`,
      [answer.body.user.id],
    )
    const ended = { reason: 'password_changed', is_same_transaction: true }
    assert.deepEqual(
      rows.map(({ id: _, ...row }) => row),
      [ended, ended, ended, { reason: null, is_same_transaction: null }],
    )
    assert.equal(rows[3].id, answer.body.session.id)
  })

  test('makes the new password the one to sign in with, and the old one wrong', async () => {
    await change()
    assertProblem(await signIn(), 401, 'invalid_credentials')
    assert.equal((await signIn({ password: newPassword })).status, 200)
  })

  test('with two sessions at once changes it once', async () => {
    const other = 'yet another horse, and 3 staples'
    const [first, second] = await Promise.all([
      change(),
      change({ token: client.access_token }, { new_password: other }),
    ])
    assert.deepEqual([first.status, second.status].sort(), [200, 401])
    const right = first.status === 200 ? newPassword : other
    assert.equal((await signIn({ password: right })).status, 200)
    const wrong = first.status === 200 ? other : newPassword
    assertProblem(await signIn({ password: wrong }), 401, 'invalid_credentials')
  })
})

describe('a change of password is refused, and changes nothing,', () => {
  test('without a session', async () => {
    const earlier = await unchanged()
    assertProblem(await change({}), 401, 'unauthenticated')
    assertProblem(await change({ token: 'nonsense' }), 401, 'unauthenticated')
    assert.deepEqual(await unchanged(), earlier)
  })

  test('with a wrong password in place of the current one', async () => {
    const earlier = await unchanged()
    for (const who of [{ headers: laptop }, { token: client.access_token }]) {
      const answer = await change(who, { current_password: 'not that at all' })
      assertProblem(answer, 401, 'invalid_credentials')
      assert.deepEqual(answer.headers.getSetCookie(), [])
    }
    assert.deepEqual(await unchanged(), earlier)
  })

  test('where the new one is too easy to guess', async () => {
    const earlier = await unchanged()
    for (const weak of ['short', 'password123', email]) {
      const answer = await change({ headers: laptop }, { new_password: weak })
      assertProblem(answer, 400, 'weak_password')
      assert.equal(JSON.stringify(answer.body).includes('/new_password'), true)
    }
    assert.deepEqual(await unchanged(), earlier)
  })

  test('where a field is missing, of another kind, or one too many', async () => {
    const earlier = await unchanged()
    const bodies = [
      { current_password: undefined },
      { new_password: undefined },
      { new_password: '' },
      { current_password: null },
      { new_password: [newPassword] },
      { user_id: 'x' },
    ]
    for (const body of bodies)
      assertProblem(await change({ headers: laptop }, body), 400, 'invalid_request')
    assert.deepEqual(await unchanged(), earlier)
  })
})
