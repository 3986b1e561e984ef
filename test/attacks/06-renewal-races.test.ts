import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import pg from 'pg'
import { untilWaiting } from '../harness/nodes.ts'
import { type Answer, goodPassword, startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
/** Another connection of the owner's, which holds locks. */
let holder: pg.Client
before(async () => {
  pie = await startTestPie({ settings: { DATABASE_CONNECTIONS: '8' } })
  holder = new pg.Client({ connectionString: pie.databaseUrl })
  await holder.connect()
})
after(async () => {
  await holder.end()
  await pie.close()
})

interface Browser {
  id: string
  headers: { cookie: string; 'x-csrf-token': string }
}

const cookieOf = (answer: Answer): string =>
  answer.headers.getSetCookie()[0]?.split(';')[0] ?? 'none'

let people = 0
let email: string
let userId: string
let phone: Browser
let laptop: Browser

async function browse(path: string): Promise<Browser> {
  const body = { email, password: goodPassword, transport: 'cookie' }
  const answer = await pie.request(path, { body })
  userId = answer.body.user.id
  const headers = { cookie: cookieOf(answer), 'x-csrf-token': answer.body.csrf_token }
  return { id: answer.body.session.id, headers }
}

beforeEach(async () => {
  people += 1
  email = `person${people}@example.com`
  phone = await browse('/auth/register')
  laptop = await browse('/auth/login')
  await pie.owner.query(
    `update pie_private.sessions set expires_at = now() - interval '1 minute' where id = $1`,
    [phone.id],
  )
})

/** Where the holder stops a renewal half-way: it has locked the old session, and its work is not committed. */
const stops = {
  user: () => holder.query('select from pie_schema.users where id = $1 for update', [userId]),
  audit: () => holder.query('lock table pie_private.audit_log in share mode'),
}

const fromLaptop = (method: string, path: string, body?: object) =>
  pie.request(path, { method, headers: laptop.headers, ...(body && { body }) })

const asOwner = async (sql: string, ...values: unknown[]): Promise<undefined> => {
  const client = new pg.Client({ connectionString: pie.databaseUrl })
  await client.connect()
  await client.query(sql, values).finally(() => client.end())
}

interface Rival {
  stop: keyof typeof stops
  act(): Promise<Answer | undefined>
}

const rivals: Record<string, Rival> = {
  'signing all other devices out': {
    stop: 'user',
    act: () => fromLaptop('DELETE', '/auth/sessions'),
  },
  'signing that device out': {
    stop: 'user',
    act: () => fromLaptop('DELETE', `/auth/sessions/${phone.id}`),
  },
  'signing out on it': {
    stop: 'user',
    act: () => pie.request('/auth/logout', { method: 'POST', headers: phone.headers }),
  },
  'changing the password': {
    stop: 'audit',
    act: () =>
      fromLaptop('PUT', '/users/me/password', {
        current_password: goodPassword,
        new_password: `${goodPassword} 2`,
      }),
  },
  'disabling the user': {
    stop: 'audit',
    act: () => asOwner('update pie_schema.users set disabled_at = now() where id = $1', userId),
  },
  'an operator who ends that session': {
    stop: 'user',
    act: () => asOwner('select pie_private.revoke_sessions($1, null)', phone.id),
  },
  "an operator who ends all of the user's": {
    stop: 'user',
    act: () => asOwner('select pie_private.revoke_sessions(null, $1)', email),
  },
}

describe('a renewal that is under way leaves no session alive, against', () => {
  for (const [name, { stop, act }] of Object.entries(rivals)) {
    test(name, async () => {
      await holder.query('begin')
      await stops[stop]()
      const renewing = pie.request('/auth/session', { headers: phone.headers })
      await untilWaiting(pie.owner, 1)
      const acting = act()
      await untilWaiting(pie.owner, 2)
      await holder.query('rollback')

      const answer = await acting
      assert.ok(!answer || [200, 204].includes(answer.status), JSON.stringify(answer?.body))
      const cookie = cookieOf(await renewing)
      assert.match(cookie, /^pie_session_3000=[^;]{80}$/)
      const renewed = await pie.request('/users/me', { headers: { cookie } })
      assert.equal(renewed.status, 401, 'the renewed session lives on')
    })
  }
})

describe('a device that is signed out by the id under which it was listed', () => {
  test('is signed out, though it has been renewed since', async () => {
    const cookie = cookieOf(await pie.request('/auth/session', { headers: phone.headers }))
    assert.equal((await pie.request('/users/me', { headers: { cookie } })).status, 200)
    const answer = await fromLaptop('DELETE', `/auth/sessions/${phone.id}`)
    assert.equal(answer.status, 204)
    for (const path of ['/users/me', '/auth/session'])
      assert.equal((await pie.request(path, { headers: { cookie } })).status, 401)
    assert.equal((await fromLaptop('GET', '/users/me')).status, 200)
  })

  test('with the cookie that it had before, too', async () => {
    const cookie = cookieOf(await pie.request('/auth/session', { headers: phone.headers }))
    const logout = await pie.request('/auth/logout', { method: 'POST', headers: phone.headers })
    assert.equal(logout.status, 204)
    assert.equal((await pie.request('/users/me', { headers: { cookie } })).status, 401)
  })
})
