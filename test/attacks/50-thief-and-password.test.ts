import assert from 'node:assert/strict'
import { after, beforeEach, describe, test } from 'node:test'
import { type CookieHolder, isSignedIn } from '../harness/by-cookie.ts'
import {
  type Answer,
  assertProblem,
  goodPassword,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

const pie: TestPie = await startTestPie({ settings: { TRUSTED_PROXIES: '127.0.0.1' } })
after(() => pie.close())

const HOME = '192.0.2.7'
const CAFE = '198.51.100.9'
const newPassword = 'another good horse battery'

let people = 0
let email: string
beforeEach(() => {
  people += 1
  email = `ada${people}@example.com`
})

async function signIn(
  path: '/auth/register' | '/auth/login',
  address = HOME,
): Promise<CookieHolder> {
  const { headers, body } = await pie.request(path, {
    body: { email, password: goodPassword, transport: 'cookie' },
    headers: { 'x-forwarded-for': address },
  })
  const [cookie = ''] = (headers.getSetCookie()[0] ?? '').split(';')
  return { cookie, csrfToken: body.csrf_token, sessionId: body.session.id }
}

const change = (
  { cookie, csrfToken }: CookieHolder,
  current: string,
  address: string,
): Promise<Answer> =>
  pie.request('/users/me/password', {
    method: 'PUT',
    headers: { cookie, 'x-csrf-token': csrfToken, 'x-forwarded-for': address },
    body: { current_password: current, new_password: newPassword },
  })

/** Guesses until Pie has had enough of it, and says how many guesses that took. */
async function guess(
  holder: CookieHolder,
  addressOf: (attempt: number) => string,
): Promise<number> {
  for (let attempt = 0; attempt < 40; attempt += 1) {
    const answer = await change(holder, `guess number ${attempt}`, addressOf(attempt))
    if (answer.status === 429) {
      assertProblem(answer, 429, 'too_many_attempts')
      return attempt
    }
    assertProblem(answer, 401, 'invalid_credentials')
  }
  return 40
}

const roll = (): Promise<unknown> =>
  pie.owner.query(`select pie_private.grant_role($1, 'editor')`, [email])

/** What a browser goes on with, as it asks for a page. */
async function goOn(holder: CookieHolder, address: string): Promise<CookieHolder> {
  const headers = { cookie: holder.cookie, 'x-forwarded-for': address }
  const { headers: answered, body } = await pie.request('/auth/session', { headers })
  const [cookie = holder.cookie] = (answered.getSetCookie()[0] ?? holder.cookie).split(';')
  const csrf = await pie.request('/auth/csrf', { headers: { ...headers, cookie } })
  return { cookie, csrfToken: csrf.body.csrf_token, sessionId: body.session.id }
}

describe('a thief with a session', () => {
  test('of another device guesses, and the owner changes the password all the same', async () => {
    const owner = await signIn('/auth/register')
    const thief = await signIn('/auth/login', CAFE)
    assert.equal(await guess(thief, () => CAFE), 10)
    const answer = await change(owner, goodPassword, HOME)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    assert.ok(!(await isSignedIn(pie, thief.cookie)))
  })

  test('and even with the right password has to wait', async () => {
    const owner = await signIn('/auth/register')
    assert.equal(await guess(owner, () => CAFE), 10)
    assertProblem(await change(owner, goodPassword, CAFE), 429, 'too_many_attempts')
  })

  test('with a copy of the cookie that the owner has: the owner does it from where they signed in', async () => {
    const owner = await signIn('/auth/register')
    assert.equal(await guess(owner, (attempt) => `203.0.113.${attempt}`), 10)
    const answer = await change(owner, goodPassword, HOME)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
  })

  test('has no more guesses after a renewal that a change of roles has brought', async () => {
    const owner = await signIn('/auth/register')
    const thief = await signIn('/auth/login', CAFE)
    assert.equal(await guess(thief, () => CAFE), 10)
    await roll()
    const renewed = await goOn(thief, CAFE)
    assert.notEqual(renewed.sessionId, thief.sessionId)
    assert.equal(await guess(renewed, () => CAFE), 0)
    const answer = await change(await goOn(owner, HOME), goodPassword, HOME)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
  })

  test('keeps nobody from signing in either, and a new sign-in has its own attempts', async () => {
    const owner = await signIn('/auth/register')
    assert.equal(await guess(owner, () => HOME), 10)
    assert.equal(await guess(owner, () => CAFE), 10)
    const anew = await signIn('/auth/login', '203.0.113.200')
    const answer = await change(anew, goodPassword, '203.0.113.200')
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    assert.ok(!(await isSignedIn(pie, owner.cookie)))
  })
})
