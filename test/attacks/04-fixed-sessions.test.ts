import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { type Answer, goodPassword, startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
before(async () => {
  pie = await startTestPie()
})
after(() => pie.close())

const cookieOf = (answer: Answer): string =>
  answer.headers.getSetCookie()[0]?.split(';')[0] ?? 'none'

const sign = (path: string, name: string, cookie?: string): Promise<Answer> =>
  pie.request(path, {
    body: { email: `${name}@example.com`, password: goodPassword, transport: 'cookie' },
    headers: cookie === undefined ? {} : { cookie },
  })

const who = (cookie: string): Promise<Answer> =>
  pie.request('/auth/session', { headers: { cookie } })

const statusAndReason = async (cookie: string) => {
  const id = /=([0-9a-f-]{36})\./.exec(cookie)?.[1]
  const { rows } = await pie.owner.query(
    'select revoked_reason as reason from pie_private.sessions where id = $1',
    [id],
  )
  return { status: (await who(cookie)).status, ...rows[0] }
}

let people = 0
let victim: string
/** The attacker's own session, planted in the victim's browser. */
let planted: string
beforeEach(async () => {
  people += 1
  victim = `ada${people}`
  planted = cookieOf(await sign('/auth/register', `mallory${people}`))
})

describe('a session that was planted before signing in', () => {
  test('is not the one that signing in gives, and ends', async () => {
    await sign('/auth/register', victim)
    const answer = await sign('/auth/login', victim, planted)
    assert.equal(answer.status, 200)
    assert.notEqual(cookieOf(answer), planted)
    assert.equal((await who(cookieOf(answer))).body.user.email, `${victim}@example.com`)
    assert.deepEqual(await statusAndReason(planted), { status: 401, reason: 'replaced' })
  })

  test('is not the one that registering gives, and ends', async () => {
    const answer = await sign('/auth/register', victim, planted)
    assert.equal(answer.status, 201)
    assert.notEqual(cookieOf(answer), planted)
    assert.deepEqual(await statusAndReason(planted), { status: 401, reason: 'replaced' })
  })

  test('stays as it is where signing in fails, or is for tokens', async () => {
    await sign('/auth/register', victim)
    const email = `${victim}@example.com`
    const headers = { cookie: planted }
    for (const body of [
      { email, password: 'not that at all', transport: 'cookie' },
      { email, password: goodPassword },
    ]) {
      const answer = await pie.request('/auth/login', { body, headers })
      assert.deepEqual(answer.headers.getSetCookie(), [])
    }
    assert.deepEqual(await statusAndReason(planted), { status: 200, reason: null })
  })

  test('of no known session, makes none of that id', async () => {
    const own = cookieOf(await sign('/auth/register', victim))
    const chosen = own.replace(/=[0-9a-f-]{36}/, '=3f1c2c5e-1111-4222-8333-444455556666')
    const answer = await sign('/auth/login', victim, chosen)
    assert.equal(answer.status, 200)
    assert.equal(cookieOf(answer).includes('3f1c2c5e'), false)
    assert.equal((await who(chosen)).status, 401)
  })
})

describe('signing in again', () => {
  test('in the same browser gives another session, and the one before it ends', async () => {
    const first = cookieOf(await sign('/auth/register', victim))
    const second = cookieOf(await sign('/auth/login', victim, first))
    assert.notEqual(second, first)
    assert.deepEqual(await statusAndReason(first), { status: 401, reason: 'replaced' })
    assert.deepEqual(await statusAndReason(second), { status: 200, reason: null })
  })
})

describe('a change of roles', () => {
  const change = (verb: 'grant' | 'revoke') =>
    pie.owner.query(`select pie_private.${verb}_role($1, 'admin')`, [`${victim}@example.com`])

  for (const verb of ['grant', 'revoke'] as const) {
    test(`(${verb}) gives each browser another session with its next request`, async () => {
      if (verb === 'revoke') {
        await sign('/auth/register', victim)
        await change('grant')
      }
      const path = verb === 'revoke' ? '/auth/login' : '/auth/register'
      const laptop = cookieOf(await sign(path, victim))
      const phone = cookieOf(await sign('/auth/login', victim))
      await change(verb)
      const roles = verb === 'grant' ? ['admin', 'viewer'] : ['viewer']
      for (const old of [laptop, phone]) {
        const answer = await who(old)
        assert.equal(answer.status, 200)
        assert.deepEqual(answer.body.user.roles, roles)
        assert.notEqual(cookieOf(answer), 'none')
        assert.notEqual(cookieOf(answer), old)
        const next = await who(cookieOf(answer))
        assert.equal(next.body.session.id, answer.body.session.id)
        await pie.owner.query(
          `update pie_private.sessions set created_at = created_at - interval '61 seconds' where id = $1`,
          [answer.body.session.id],
        )
        assert.equal((await who(old)).status, 401)
      }
    })
  }

  test('leaves a client with tokens signed in', async () => {
    await sign('/auth/register', victim)
    const body = { email: `${victim}@example.com`, password: goodPassword }
    const { access_token: token, refresh_token } = (await pie.request('/auth/login', { body })).body
    await change('grant')
    assert.equal((await pie.request('/users/me', { token })).status, 200)
    assert.equal((await pie.request('/auth/refresh', { body: { refresh_token } })).status, 200)
  })
})
