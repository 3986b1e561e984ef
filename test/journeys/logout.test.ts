import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
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
before(async () => {
  pie = await startTestPie()
  await register(pie, 'ada')
})
after(() => pie.close())

const signIn = async (): Promise<Answer['body']> => {
  const body = { email: 'ada@example.com', password: goodPassword }
  return (await pie.request('/auth/login', { body })).body
}

let phone: Answer['body']
let laptop: Answer['body']
beforeEach(async () => {
  phone = await signIn()
  laptop = await signIn()
})

const logout = (options: { token?: string; body?: unknown }): Promise<Answer> =>
  pie.request('/auth/logout', { method: 'POST', ...options })

const me = async (token: string): Promise<number> =>
  (await pie.request('/users/me', { token })).status

async function assertEnded({ access_token, refresh_token }: Answer['body']): Promise<void> {
  assert.equal(await me(access_token), 401)
  const refreshed = await pie.request('/auth/refresh', { body: { refresh_token } })
  assertProblem(refreshed, 401, 'invalid_refresh_token')
}

const linesOf = async (token: string): Promise<unknown[]> => {
  const { sid } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  const { rows } = await pie.owner.query(
    `select event, detail from pie_private.audit_log where session_id = $1 order by id`,
    [sid],
  )
  return rows.slice(1)
}

describe('signing out', () => {
  const ways = {
    'the access token': () => logout({ token: phone.access_token }),
    'the access token and an empty object': () => logout({ token: phone.access_token, body: {} }),
    'the access token and null': () => logout({ token: phone.access_token, body: null }),
    'the refresh token': () => logout({ body: { refresh_token: phone.refresh_token } }),
    'both tokens': () =>
      logout({ token: phone.access_token, body: { refresh_token: phone.refresh_token } }),
    'the refresh token, beside an access token that is none': () =>
      logout({ token: 'nonsense', body: { refresh_token: phone.refresh_token } }),
    'the access token, beside a refresh token that is none': () =>
      logout({ token: phone.access_token, body: { refresh_token: 'nonsense' } }),
  }
  for (const [means, way] of Object.entries(ways)) {
    test(`with ${means} ends this session and no other, once for all`, async () => {
      const answer = await way()
      assert.deepEqual({ status: answer.status, body: answer.body }, { status: 204, body: '' })
      await assertEnded(phone)
      assert.equal(await me(laptop.access_token), 200)

      const earlier = await snapshot(pie.owner)
      assert.equal((await way()).status, 204)
      assert.deepEqual(await snapshot(pie.owner), earlier)
      assert.deepEqual(await linesOf(phone.access_token), [
        { event: 'session.ended', detail: { reason: 'logout' } },
      ])
    })
  }

  test('with tokens of two sessions ends both', async () => {
    const { access_token: token } = laptop
    const body = { refresh_token: phone.refresh_token }
    assert.equal((await logout({ token, body })).status, 204)
    await assertEnded(phone)
    await assertEnded(laptop)
  })

  test('with a refresh token that has been used still signs out', async () => {
    const { refresh_token } = phone
    const refreshed = (await pie.request('/auth/refresh', { body: { refresh_token } })).body
    assert.equal((await logout({ body: { refresh_token } })).status, 204)
    await assertEnded(refreshed)
  })

  test('with nothing, or with what is no token of ours, ends nothing', async () => {
    const earlier = await snapshot(pie.owner)
    const { refresh_token, access_token } = phone
    const attempts = [
      {},
      { body: {} },
      { body: null },
      { token: 'nonsense' },
      { body: { refresh_token: 'nonsense' } },
      { token: refresh_token },
      { body: { refresh_token: access_token } },
      { token: `${access_token}x`, body: { refresh_token: `${refresh_token}x` } },
    ]
    for (const attempt of attempts) {
      const answer = await logout(attempt)
      assertProblem(answer, 401, 'unauthenticated')
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
    assert.equal(await me(access_token), 200)
  })

  test('with tokens that have expired ends nothing, as there is nothing left to end', async () => {
    const late = await startTestPie({ databaseUrl: pie.databaseUrl })
    late.passSeconds(7 * 86_400 + 1)
    const earlier = await snapshot(pie.owner)
    const body = { refresh_token: phone.refresh_token }
    const options = { method: 'POST', token: phone.access_token, body }
    const answer = await late.request('/auth/logout', options)
    await late.close()
    assertProblem(answer, 401, 'unauthenticated')
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })
})
