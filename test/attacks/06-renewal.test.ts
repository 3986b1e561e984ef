import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { signSessionId } from '../../server/src/features/sessions/session-cookie.ts'
import { TRUST_MS } from '../../server/src/ground/cache/protocol.ts'
import { deriveKeys } from '../../server/src/ground/crypto/derive-keys.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { until } from '../harness/nodes.ts'
import {
  type Answer,
  assertProblem,
  goodPassword,
  register,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

const [keys] = deriveKeys([Secret.fromText(testSecretKey)])
assert.ok(keys)

let pie: TestPie
before(async () => {
  pie = await startTestPie()
})
after(() => pie.close())

const cookieOf = (answer: Answer): string =>
  answer.headers.getSetCookie()[0]?.split(';')[0] ?? 'none'
const idOf = (cookie: string): string => /=([0-9a-f-]{36})\./.exec(cookie)?.[1] ?? 'none'

let people = 0
let email: string
let ada: { id: string; cookie: string; csrf: string; userId: string }
beforeEach(async () => {
  people += 1
  email = `ada${people}@example.com`
  const answer = await signIn('/auth/register')
  const { user, session, csrf_token: csrf } = answer.body
  ada = { id: session.id, cookie: cookieOf(answer), csrf, userId: user.id }
})

const signIn = (path = '/auth/login'): Promise<Answer> =>
  pie.request(path, { body: { email, password: goodPassword, transport: 'cookie' } })

/** As if it had been so long since the session's expiry. Before its first use, so no cache has it. */
const expire = (ago = '1 second', id = ada.id) =>
  pie.owner.query(
    'update pie_private.sessions set expires_at = now() - $2::interval where id = $1',
    [id, ago],
  )

const who = (cookie = ada.cookie, at = pie): Promise<Answer> =>
  at.request('/auth/session', { headers: { cookie } })

const rowOf = async (id: string) =>
  (await pie.owner.query('select * from pie_private.sessions where id = $1', [id])).rows[0]

/** What another connection has changed is mostly heard at once; until then, what is cached is believed. */
const untilHeard = (isSo: () => Promise<boolean>): Promise<void> => until(isSo, TRUST_MS)

async function assertRefused(cookie = ada.cookie, at = pie): Promise<void> {
  const earlier = await snapshot(pie.owner)
  for (const path of ['/auth/session', '/users/me', '/auth/sessions']) {
    const answer = await at.request(path, { headers: { cookie } })
    assertProblem(answer, 401, 'unauthenticated')
    assert.deepEqual(answer.headers.getSetCookie(), [])
  }
  assert.deepEqual(await snapshot(pie.owner), earlier)
}

describe('a session that has expired', () => {
  test('is renewed by its next request, as another one with the same limit', async () => {
    await expire()
    const answer = await who()
    assert.equal(answer.status, 200)
    const { session, user } = answer.body
    assert.equal(user.id, ada.userId)
    assert.notEqual(session.id, ada.id)
    assert.equal(idOf(cookieOf(answer)), session.id)
    assert.ok(Date.parse(session.expires_at) > Date.now())
    assert.equal((await who(cookieOf(answer))).body.session.id, session.id)
    const [old, next] = [await rowOf(ada.id), await rowOf(session.id)]
    assert.equal(old.successor_id, session.id)
    assert.deepEqual(next.absolute_expires_at, old.absolute_expires_at)
    assert.deepEqual([next.kind, next.methods], ['browser', ['pwd']])
  })

  test('is renewed also by a request that changes something, with the CSRF token it had', async () => {
    await expire()
    const headers = { cookie: ada.cookie, 'x-csrf-token': ada.csrf }
    const answer = await pie.request('/users/me', {
      method: 'PATCH',
      headers,
      body: { name: 'Ada' },
    })
    assert.equal(answer.status, 200)
    assert.equal((await who(cookieOf(answer))).body.user.name, 'Ada')
  })

  test('is renewed once: thirty requests at once, on two nodes, get the same successor', async () => {
    const node = await startTestPie({ databaseUrl: pie.databaseUrl })
    try {
      await expire()
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, index) => who(ada.cookie, index % 2 ? pie : node)),
      )
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
      assert.equal(new Set(answers.map(cookieOf)).size, 1)
      const { rows } = await pie.owner.query(
        `select (select count(*) from pie_private.sessions where user_id = $1)::integer as sessions,
                (select count(*) from pie_private.audit_log
                 where user_id = $1 and event = 'session.renewed')::integer as renewals`,
        [ada.userId],
      )
      assert.deepEqual(rows[0], { sessions: 2, renewals: 1 })
    } finally {
      await node.close()
    }
  })

  test('gets the same successor for a minute, and then nothing', async () => {
    await expire()
    const first = cookieOf(await who())
    const age = (by: string) =>
      pie.owner.query(
        'update pie_private.sessions set created_at = created_at - $2::interval where id = $1',
        [idOf(first), by],
      )
    await age('50 seconds')
    assert.equal(cookieOf(await who()), first)
    await age('11 seconds')
    await assertRefused()
    assert.equal((await who(first)).status, 200)
  })

  test('is renewed again and again until its absolute limit, and not after it', async () => {
    await pie.owner.query(
      `update pie_private.sessions set absolute_expires_at = now() + interval '2 days' where id = $1`,
      [ada.id],
    )
    await expire()
    const limit = (await rowOf(ada.id)).absolute_expires_at
    let cookie = ada.cookie
    for (let count = 0; count < 3; count += 1) {
      const answer = await who(cookie)
      cookie = cookieOf(answer)
      const [, maxAge] = /Max-Age=(\d+)/.exec(answer.headers.getSetCookie()[0] ?? '') ?? []
      assert.ok(Number(maxAge) <= 2 * 86_400, `Max-Age: ${maxAge}`)
      assert.deepEqual((await rowOf(idOf(cookie))).absolute_expires_at, limit)
      await expire('1 second', idOf(cookie))
      await untilHeard(async () => (await who(cookie)).headers.has('set-cookie'))
    }
    await pie.owner.query(
      `update pie_private.sessions set expires_at = least(expires_at, now()), absolute_expires_at = now()
       where user_id = $1`,
      [ada.userId],
    )
    await untilHeard(async () => (await who(cookie)).status === 401)
    await assertRefused(cookie)
    await assertRefused()
  })

  test('with less left than a session lives, is renewed for no longer than that', async () => {
    await expire()
    await pie.owner.query(
      `update pie_private.sessions set absolute_expires_at = now() + interval '1 hour' where id = $1`,
      [ada.id],
    )
    const next = await rowOf((await who()).body.session.id)
    assert.deepEqual(next.expires_at, next.absolute_expires_at)
  })
})

describe('the window for renewal', () => {
  test('is seven days from the expiry', async () => {
    await expire('7 days 1 second')
    await assertRefused()
    await expire('6 days 23:59')
    assert.equal((await who()).status, 200)
  })

  test('is what SESSION_RENEW_WINDOW says', async () => {
    const strict = await startTestPie({
      databaseUrl: pie.databaseUrl,
      settings: { SESSION_RENEW_WINDOW: '1h' },
    })
    try {
      await expire('61 minutes')
      await assertRefused(ada.cookie, strict)
      await expire('59 minutes')
      assert.equal((await who(ada.cookie, strict)).status, 200)
    } finally {
      await strict.close()
    }
  })
})

describe('an expired session is not renewed', () => {
  const byUser = async (sql: string): Promise<undefined> => {
    await pie.owner.query(sql, [ada.userId])
  }
  const other = async () => {
    const answer = await signIn()
    return { cookie: cookieOf(answer), 'x-csrf-token': answer.body.csrf_token }
  }
  /** With the answer of the door; none where another connection of the owner's does it. */
  const endings: Record<string, () => Promise<Answer | undefined>> = {
    'after it has signed out': () => {
      const headers = { cookie: ada.cookie, 'x-csrf-token': ada.csrf }
      return pie.request('/auth/logout', { method: 'POST', headers })
    },
    'after it has been signed out from another device': async () =>
      pie.request(`/auth/sessions/${ada.id}`, { method: 'DELETE', headers: await other() }),
    'after all others have been signed out': async () =>
      pie.request('/auth/sessions', { method: 'DELETE', headers: await other() }),
    'after the password has been changed': async () =>
      pie.request('/users/me/password', {
        method: 'PUT',
        headers: await other(),
        body: { current_password: goodPassword, new_password: `${goodPassword} 2` },
      }),
    'while its user is disabled': () =>
      byUser('update pie_schema.users set disabled_at = now() where id = $1'),
    'after its user has been disabled and enabled again': async () => {
      await byUser('update pie_schema.users set disabled_at = now() where id = $1')
      return byUser('update pie_schema.users set disabled_at = null where id = $1')
    },
    'after its user has been deleted': () => byUser('delete from pie_schema.users where id = $1'),
  }
  for (const [name, end] of Object.entries(endings)) {
    test(name, async () => {
      await expire()
      const answer = await end()
      assert.ok(answer === undefined || answer.status < 300)
      await assertRefused()
    })

    test(`${name}, nor is its successor the answer to the old cookie`, async () => {
      await expire()
      const next = cookieOf(await who())
      const answer = await end()
      if (answer === undefined) await untilHeard(async () => (await who(next)).status === 401)
      await assertRefused(next)
      await assertRefused()
    })
  }

  test('a second time, where somebody has deleted its successor', async () => {
    await expire()
    const next = idOf(cookieOf(await who()))
    await pie.owner.query('delete from pie_private.sessions where id = $1', [next])
    await assertRefused()
  })

  test('when it is of tokens, though its cookie be signed', async () => {
    const { access_token, user } = await register(pie, `grace${people}`)
    const { rows } = await pie.owner.query(
      'select id from pie_private.sessions where user_id = $1',
      [user.id],
    )
    const cookie = `pie_session_3000=${signSessionId([keys], rows[0].id)}`
    await assertRefused(cookie)
    assert.equal((await pie.request('/users/me', { token: access_token })).status, 200)
    await expire('1 second', rows[0].id)
    await assertRefused(cookie)
  })

  test('when there is no such session, though its cookie be signed', async () => {
    const nobody = '3f1c2c5e-1111-4222-8333-444455556666'
    await assertRefused(`pie_session_3000=${signSessionId([keys], nobody)}`)
  })
})
