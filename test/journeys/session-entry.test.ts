/** `@pie/server/session`: an application beside a Pie server, in whatever framework. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { openSessions, problemOf, type Sessions } from '../../server/src/session.ts'
import { type CookieHolder, registerByCookie } from '../harness/by-cookie.ts'
import { createEmptyDatabase, testSecretKey } from '../harness/cluster.ts'
import { until } from '../harness/nodes.ts'
import {
  type Answer,
  assertProblem,
  register,
  send,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

const origin = 'http://localhost:3000'

let pie: TestPie
let sessions: Sessions
let server: Server
let address: string
let ada: CookieHolder
let graceToken: string

const asRole = (databaseUrl: string, role: string): string => {
  const url = new URL(databaseUrl)
  url.username = role
  url.password = ''
  return url.href
}

const settingsFor = (databaseUrl: string): Record<string, string> => ({
  SECRET_KEY: testSecretKey,
  SERVICE_DOMAIN: origin,
  AUTH_DATABASE_URL: asRole(databaseUrl, 'pie_auth'),
  REQUEST_DATABASE_URL: asRole(databaseUrl, 'cream'),
  DATABASE_CONNECTIONS: '4',
  // The owner's address may be in the environment of the application; nobody looks at it.
  DATABASE_URL: 'postgres://owner:wrong@127.0.0.1:1/nowhere',
})

before(async () => {
  pie = await startTestPie({ settings: { ALLOWED_ORIGINS: '' } })
  sessions = await openSessions({ settings: settingsFor(pie.databaseUrl) })
  server = createServer(async (request, response) => {
    const asking = sessions.of(request, { response })
    try {
      const found = await asking.session()
      const name = request.method === 'GET' ? 'select' : 'update'
      const { rows } =
        name === 'select'
          ? await asking.query('select id, name from pie_schema.users')
          : await asking.query("update pie_schema.users set name = 'Changed' returning id, name")
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ user: found?.user.id, rows }))
    } catch (error) {
      const { status, headers, body } = problemOf(error)
      response.writeHead(status, headers).end(body)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  ada = await registerByCookie(pie, 'ada')
  graceToken = (await register(pie, 'grace')).access_token
})
after(async () => {
  server.close()
  await sessions.close()
  await pie.close()
})

const expire = (sessionId: string) =>
  pie.owner.query(
    `update pie_private.sessions set created_at = now() - interval '2 days', expires_at = now() - interval '1 day'
     where id = $1`,
    [sessionId],
  )

const ask = (headers: Record<string, string>, method = 'GET'): Promise<Answer> =>
  send(address, '/', { headers, method })

const webRequest = (headers: Record<string, string>, method = 'GET'): Request =>
  new Request(`${origin}/`, { headers, method })

describe('a request of Node’s', () => {
  test('of nobody is refused, and of somebody reads their rows alone, by cookie or by token', async () => {
    assertProblem(await ask({}), 401, 'unauthenticated')
    assertProblem(await ask({ cookie: `${ada.cookie}x` }), 401, 'unauthenticated')
    assertProblem(await ask({ authorization: 'Bearer nonsense' }), 401, 'unauthenticated')
    const byCookie = await ask({ cookie: ada.cookie })
    assert.equal(byCookie.status, 200)
    assert.deepEqual(
      byCookie.body.rows.map(({ id }: { id: string }) => id),
      [byCookie.body.user],
    )
    assert.equal(byCookie.headers.get('cache-control'), 'private, no-store')
    assert.equal(byCookie.headers.get('vary'), 'Cookie')
    const byToken = await ask({ authorization: `Bearer ${graceToken}` })
    assert.equal(byToken.status, 200)
    assert.notEqual(byToken.body.user, byCookie.body.user)
  })

  test('that changes something needs a CSRF token with a cookie, and comes from no other origin', async () => {
    const { cookie, csrfToken } = ada
    const nameOf = async () => (await ask({ cookie })).body.rows[0].name
    assertProblem(await ask({ cookie }, 'POST'), 403, 'csrf_token_missing')
    assertProblem(await ask({ cookie, 'x-csrf-token': 'x' }, 'POST'), 403, 'csrf_token_invalid')
    for (const headers of [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
    ] as Record<string, string>[])
      assertProblem(
        await ask({ cookie, 'x-csrf-token': csrfToken, ...headers }, 'POST'),
        403,
        'cross_origin',
      )
    assert.equal(await nameOf(), null)
    assert.equal((await ask({ cookie, 'x-csrf-token': csrfToken }, 'POST')).status, 200)
    assert.equal(await nameOf(), 'Changed')
  })

  test('with two Authorization headers is of nobody: a proxy may have checked the other', async () => {
    const rawHeaders = ['Authorization', `Bearer ${graceToken}`, 'Authorization', 'Bearer x']
    const headers = { authorization: `Bearer ${graceToken}` }
    assert.equal(await sessions.of({ method: 'GET', headers, rawHeaders }).session(), null)
  })
})

describe('a request of the Fetch Standard', () => {
  test('is read the same, and says what the answer has to have', async () => {
    const asking = sessions.of(webRequest({ cookie: ada.cookie }))
    assert.deepEqual([...asking.headers], [])
    assert.equal((await asking.session())?.session.id, ada.sessionId)
    assert.equal(asking.headers.get('cache-control'), 'private, no-store')
    assert.equal(await sessions.of(webRequest({})).session(), null)
    assert.equal(await sessions.of(webRequest({})).csrfToken(), null)
  })

  test('takes the CSRF token of a form, and makes one for it', async () => {
    const token = await sessions.of(webRequest({ cookie: ada.cookie })).csrfToken()
    assert.ok(token !== null)
    const post = webRequest({ cookie: ada.cookie, origin }, 'POST')
    await assert.rejects(sessions.of(post).credential(), {
      code: 'csrf_token_missing',
      statusCode: 403,
    })
    const { sessionId } = await sessions.of(post, { csrfToken: token }).credential()
    assert.equal(sessionId, ada.sessionId)
  })

  test('of a session that has expired renews it: the answer has another cookie', async () => {
    const old = await registerByCookie(pie, 'expiring')
    await expire(old.sessionId)
    const asking = sessions.of(webRequest({ cookie: old.cookie }))
    const renewed = await asking.session()
    assert.notEqual(renewed?.session.id, old.sessionId)
    const [cookie = ''] = (asking.headers.get('set-cookie') ?? '').split(';')
    const [, id] = /^pie_session_3000=([0-9a-f-]{36})\./.exec(cookie) ?? []
    assert.equal(id, renewed?.session.id)
    const again = await sessions.of(webRequest({ cookie })).session()
    assert.equal(again?.session.id, renewed?.session.id)
  })
})

test('an access token whose session has expired is nobody’s, as Postgres has it', async () => {
  const token = (await register(pie, 'lapsed')).access_token
  const asking = () => sessions.of(webRequest({ authorization: `Bearer ${token}` }))
  const found = await asking().session()
  assert.ok(found !== null)
  await expire(found.session.id)
  await until(async () => (await asking().session()) === null)
  assert.equal(await asking().csrfToken(), null)
  await assert.rejects(asking().query('select 1'), { code: 'unauthenticated' })
})

test('a renewed session’s cookie leaves the application’s own where they are', async () => {
  const { cookie, sessionId } = await registerByCookie(pie, 'with-others')
  await expire(sessionId)
  const response = new ServerResponse(new IncomingMessage(new Socket()))
  response.setHeader('set-cookie', ['theme=dark', 'pie_session_3000=planted'])
  const request = { method: 'GET', headers: { cookie } }
  assert.ok((await sessions.of(request, { response }).session()) !== null)
  const [theme, renewed, ...more] = response.getHeader('set-cookie') as string[]
  assert.equal(theme, 'theme=dark')
  assert.match(renewed ?? '', /^pie_session_3000=[0-9a-f-]{36}\..*HttpOnly/)
  assert.deepEqual(more, [])
})

test('a session that the server ends is refused here too, by the cache and by Postgres', async () => {
  const { cookie, csrfToken } = await registerByCookie(pie, 'leaving')
  assert.equal((await ask({ cookie })).status, 200)
  const logout = { method: 'POST', headers: { cookie, 'x-csrf-token': csrfToken } }
  assert.equal((await pie.request('/auth/logout', logout)).status, 204)
  await until(async () => (await sessions.of(webRequest({ cookie })).session()) === null)
  await assert.rejects(sessions.of(webRequest({ cookie })).query('select 1'), {
    code: 'unauthenticated',
  })
})

describe('what cannot be opened says why, and has changed nothing', () => {
  const refuses = async (settings: Record<string, string>, said: RegExp) => {
    await assert.rejects(openSessions({ settings }), (error: Error) => {
      assert.equal(error.name, 'OperatorError', inspect(error))
      assert.match(error.message, said)
      assert.equal(error.message.includes(testSecretKey), false)
      return true
    })
  }

  test('settings that are missing, all at once', async () => {
    const none = {
      SECRET_KEY: '',
      SERVICE_DOMAIN: '',
      AUTH_DATABASE_URL: '',
      REQUEST_DATABASE_URL: '',
    }
    await refuses(
      none,
      /SECRET_KEY has to be.*\n.*SERVICE_DOMAIN has to be.*\n.*AUTH_DATABASE_URL has to be.*\n.*REQUEST_DATABASE_URL/,
    )
  })

  test('another SECRET_KEY than the server’s: no password is set', async () => {
    const passwords = async () =>
      (
        await pie.owner.query(
          `select rolname, rolpassword from pg_authid where rolname in ('pie_auth', 'cream') order by 1`,
        )
      ).rows
    const earlier = await passwords()
    const settings = {
      ...settingsFor(pie.databaseUrl),
      SECRET_KEY: 'Zx7Kq2vXw9Lr4Tz6Nc8Yp3Ms5Dh1Gf0Ja-other',
    }
    await refuses(settings, /Could not connect to Postgres/)
    assert.deepEqual(await passwords(), earlier)
  })

  test('a database on which no Pie has been: nothing is migrated', async () => {
    const empty = await createEmptyDatabase()
    try {
      await refuses(settingsFor(empty.url), /may not do what Pie does with it/)
    } finally {
      await empty.drop()
    }
  })
})

test('settings that the server has otherwise are refused: they would undo what its operator has set', async () => {
  await until(async () => (await pie.owner.query('select from pie_private.nodes')).rowCount === 1)
  for (const [name, value] of [
    ['SESSION_RENEW_WINDOW', '30d'],
    ['CSRF_MODE', 'request'],
    ['SERVICE_DOMAIN', 'http://localhost:3999'],
  ] as const)
    await assert.rejects(
      openSessions({ settings: { ...settingsFor(pie.databaseUrl), [name]: value } }),
      new RegExp(`The Pie server on this database has other settings: ${name}`),
    )
})
