import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  type CookieHolder,
  isSignedIn,
  registerByCookie,
  renewCookie,
  signInByCookie,
} from '../harness/by-cookie.ts'
import { type Answer, assertProblem, snapshot, startTestPie, type TestPie } from '../harness/pie.ts'

const settings = { CSRF_MODE: 'request' }

let pie: TestPie
let other: TestPie
let ada: CookieHolder
let grace: CookieHolder
before(async () => {
  pie = await startTestPie({ settings })
  other = await startTestPie({ settings, databaseUrl: pie.databaseUrl })
  ada = await registerByCookie(pie, 'ada')
  grace = await registerByCookie(pie, 'grace')
})
after(async () => {
  await other.close()
  await pie.close()
})

const getToken = async (node: TestPie = pie): Promise<string> =>
  (await node.request('/auth/csrf', { headers: { cookie: ada.cookie } })).body.csrf_token

const rename = (node: TestPie, name: string, token: string, cookie = ada.cookie): Promise<Answer> =>
  node.request('/users/me', {
    method: 'PATCH',
    body: { name },
    headers: { cookie, 'x-csrf-token': token },
  })

/** Names that a user has been given, which tells how many requests have had their way. */
const versionOfAda = async (): Promise<number> => {
  const { rows } = await pie.owner.query(
    `select version::integer from pie_schema.users
     join pie_schema.user_emails on user_id = users.id where email = 'ada@example.com'`,
  )
  return rows[0].version
}

/** Everything but that tokens have been used. */
const kept = (): Promise<Record<string, string>> =>
  snapshot(pie.owner, ['pie_private.used_csrf_tokens'])

describe('with CSRF_MODE=request, a CSRF token', () => {
  test('is good once, by header or by form, on whichever node', async () => {
    const raw = (token: string) => `name=Ada&csrf_token=${token}`
    const headers = {
      cookie: ada.cookie,
      'content-type': 'application/x-www-form-urlencoded',
    }
    const byForm = (node: TestPie, token: string) =>
      node.request('/users/me', { method: 'PATCH', raw: raw(token), headers })
    for (const first of [rename.bind(null, pie, 'Ada'), byForm.bind(null, pie)]) {
      const token = await getToken(other)
      assert.equal((await first(token)).status, 200)
      const earlier = await snapshot(pie.owner)
      for (const answer of [
        await rename(pie, 'Eve', token),
        await rename(other, 'Eve', token),
        await byForm(pie, token),
        await byForm(other, token),
      ]) {
        assertProblem(answer, 403, 'csrf_token_invalid')
      }
      assert.deepEqual(await snapshot(pie.owner), earlier)
    }
  })

  test('is good while another tab uses its own, in any order', async () => {
    const tokens = [ada.csrfToken, await getToken(), await getToken(other)]
    for (const token of tokens.toReversed())
      assert.equal((await rename(pie, 'Ada', token)).status, 200)
  })

  test('sent 20 times at once to two nodes has its way once', async () => {
    for (let round = 0; round < 3; round += 1) {
      const token = await getToken()
      const version = await versionOfAda()
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          rename(index % 2 === 0 ? pie : other, `Ada ${round} ${index}`, token),
        ),
      )
      const [done, refused] = [200, 403].map((code) => answers.filter((a) => a.status === code))
      assert.deepEqual([done?.length, refused?.length], [1, 19])
      for (const answer of refused ?? []) assertProblem(answer, 403, 'csrf_token_invalid')
      assert.equal(await versionOfAda(), version + 1)
    }
  })

  test('of the session before is good once, right after the renewal', async () => {
    const old = await signInByCookie(pie, 'ada')
    const unused = (await pie.request('/auth/csrf', { headers: { cookie: old.cookie } })).body
      .csrf_token
    const next = await renewCookie(pie, old.cookie)
    for (const token of [old.csrfToken, unused]) {
      assert.equal((await rename(other, 'Ada', token, next)).status, 200)
      const again = await rename(pie, 'Eve', token, next)
      assertProblem(again, 403, 'csrf_token_invalid')
      assert.match(again.body.detail, /has been used.*GET \/auth\/csrf/)
    }
  })

  test('is not used up by whom it does not belong to', async () => {
    const token = await getToken()
    const earlier = await snapshot(pie.owner)
    assertProblem(await rename(pie, 'Eve', token, grace.cookie), 403, 'csrf_token_invalid')
    const headers = { cookie: ada.cookie, 'x-csrf-token': token }
    const marks = { origin: 'https://evil.example' }
    const options = { method: 'PATCH', body: { name: 'Eve' }, headers: { ...headers, ...marks } }
    assertProblem(await pie.request('/users/me', options), 403, 'cross_origin')
    assert.deepEqual(await snapshot(pie.owner), earlier)
    assert.equal((await rename(pie, 'Ada', token)).status, 200)
  })

  test('is good for 12 hours', async () => {
    const [inTime, late] = [await getToken(), await getToken()]
    pie.passSeconds(12 * 3600 - 60)
    assert.equal((await rename(pie, 'Ada', inTime)).status, 200)
    pie.passSeconds(61)
    const earlier = await snapshot(pie.owner)
    assertProblem(await rename(pie, 'Eve', late), 403, 'csrf_token_invalid')
    assert.deepEqual(await snapshot(pie.owner), earlier)
    pie.passSeconds(-12 * 3600 - 1)
  })

  test('is kept as its hash, and no longer than it could be used', async () => {
    const token = await getToken()
    await rename(pie, 'Ada', token)
    const { rows } = await pie.owner.query(
      `select count(*)::integer as kept, bool_and(expires_at <= now() + interval '12 hours') as is_brief
       from pie_private.used_csrf_tokens where token_hash = sha256(convert_to($1, 'utf8'))`,
      [token],
    )
    assert.deepEqual(rows[0], { kept: 1, is_brief: true })
    await pie.owner.query(
      `update pie_private.used_csrf_tokens set expires_at = now() - interval '2 hours'`,
    )
    // What each node does every minute.
    await pie.owner.query('select pie_private.delete_used_csrf_tokens(1000)')
    const { rows: kept } = await pie.owner.query('select from pie_private.used_csrf_tokens')
    assert.deepEqual(kept, [])
  })

  test('signs out once, and a second time there is nobody to sign out', async () => {
    const token = await getToken()
    const logout = (node: TestPie) =>
      node.request('/auth/logout', {
        method: 'POST',
        headers: { cookie: ada.cookie, 'x-csrf-token': token },
      })
    assert.equal((await logout(pie)).status, 204)
    assert.equal(await isSignedIn(pie, ada.cookie), false)
    const earlier = await kept()
    assertProblem(await logout(other), 403, 'csrf_token_invalid')
    assert.deepEqual(await kept(), earlier)
  })
})
