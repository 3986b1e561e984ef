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

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const safari =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1'

let pie: TestPie
before(async () => {
  pie = await startTestPie()
})
after(() => pie.close())

interface Device {
  id: string
  headers: Record<string, string>
}

let people = 0
let email: string
let laptop: Device
let phone: Device
/** A program, with tokens. */
let client: Answer['body']

async function browse(path: string, userAgent: string, as = email): Promise<Device> {
  const answer = await pie.request(path, {
    body: { email: as, password: goodPassword, transport: 'cookie' },
    headers: { 'user-agent': userAgent },
  })
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const headers = { cookie, 'x-csrf-token': answer.body.csrf_token }
  return { id: answer.body.session.id, headers }
}

beforeEach(async () => {
  people += 1
  email = `ada${people}@example.com`
  laptop = await browse('/auth/register', firefox)
  phone = await browse('/auth/login', safari)
  const body = { email, password: goodPassword }
  client = (await pie.request('/auth/login', { body, headers: { 'user-agent': 'curl/8.14.1' } }))
    .body
})

const as = (device: Device, path: string, options: { method?: string; body?: unknown } = {}) =>
  pie.request(path, { ...options, headers: device.headers })

const list = async (device = laptop): Promise<Answer['body'][]> =>
  (await as(device, '/auth/sessions')).body.sessions

const sidOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sid

const end = (id: string, device = laptop) =>
  as(device, `/auth/sessions/${id}`, { method: 'DELETE' })

const status = async (device: Device): Promise<number> => (await as(device, '/users/me')).status

const reasonOf = async (id: string) =>
  (
    await pie.owner.query(
      `select revoked_reason as reason from pie_private.sessions where id = $1`,
      [id],
    )
  ).rows[0]?.reason

test('of thousands that somebody is signed in with, the last 200 are listed, and the one that asks', async () => {
  await pie.owner.query(
    `insert into pie_private.sessions
       (id, user_id, kind, proof_hash, methods, expires_at, absolute_expires_at, last_seen_at)
     select gen_random_uuid(), user_id, 'token', sha256(n::text::bytea), '{pwd}', now() + '1 hour', now() + '1 day',
            now() + make_interval(secs => n)
     from pie_private.sessions, generate_series(1, 5000) as n where sessions.id = $1`,
    [laptop.id],
  )
  const { status, body } = await as(laptop, '/auth/sessions')
  assert.equal(status, 200)
  assert.deepEqual([body.sessions.length, body.total], [200, 5_003])
  assert.equal(body.sessions.filter((session: Answer['body']) => session.is_current).length, 1)
  const seen = body.sessions.map((session: Answer['body']) => session.last_seen_at)
  assert.deepEqual(seen, seen.toSorted().toReversed())
  const answer = await as(laptop, '/auth/sessions', { method: 'DELETE' })
  assert.equal(answer.body.ended, 5_002)
  assert.equal((await list()).length, 1)
})

describe('my devices', () => {
  test('are listed in words, and which is this one', async () => {
    const answer = await as(laptop, '/auth/sessions')
    assert.equal(answer.headers.get('cache-control'), 'private, no-store')
    const seen = Object.fromEntries(
      answer.body.sessions.map((session: Answer['body']) => [session.id, session]),
    )
    assert.deepEqual(
      Object.keys(seen).sort(),
      [laptop.id, phone.id, sidOf(client.access_token)].sort(),
    )
    const { created_at, last_seen_at, expires_at, ...own } = seen[laptop.id]
    assert.ok(Date.parse(created_at) <= Date.parse(last_seen_at))
    assert.ok(Date.parse(last_seen_at) < Date.parse(expires_at))
    assert.deepEqual(own, {
      id: laptop.id,
      kind: 'browser',
      device: {
        description: 'Firefox on Linux',
        browser: 'Firefox',
        os: 'Linux',
        type: 'desktop',
      },
      address: '127.0.0.1',
      assurance_level: 1,
      methods: ['pwd'],
      is_current: true,
    })
    assert.equal(seen[phone.id].device.description, 'Safari on iOS')
    assert.equal(seen[phone.id].is_current, false)
    const program = seen[sidOf(client.access_token)]
    assert.deepEqual([program.kind, program.device.description], ['token', 'curl'])
  })

  test('are the same by token, and none of them is somebody else’s', async () => {
    const { access_token: token } = client
    await browse('/auth/register', firefox, `grace${people}@example.com`)
    const { sessions } = (await pie.request('/auth/sessions', { token })).body
    assert.equal(sessions.length, 3)
    const current = sessions.filter(({ is_current }: Answer['body']) => is_current)
    assert.deepEqual(
      current.map(({ id }: Answer['body']) => id),
      [sidOf(token)],
    )
  })

  test('have among them what a renewal would bring back, once, and not what has ended', async () => {
    await pie.owner.query(
      `update pie_private.sessions set expires_at = now() - interval '1 day' where id = any ($1)`,
      [[phone.id, sidOf(client.access_token)]],
    )
    const ids = (await list()).map(({ id }) => id)
    assert.deepEqual(ids.sort(), [laptop.id, phone.id].sort())
    const renewed = (await as(phone, '/auth/session')).body.session.id
    const later = (await list()).map(({ id }) => id)
    assert.deepEqual(later.sort(), [laptop.id, renewed].sort())
  })

  test('are an admin’s own, too', async () => {
    await pie.owner.query(`select pie_private.grant_role($1, 'admin')`, [email])
    const admin = await browse('/auth/login', firefox)
    assert.equal((await list(admin)).length, 4)
    assert.equal((await end(phone.id, admin)).status, 204)
  })
})

describe('signing a device out', () => {
  test('ends that one and no other', async () => {
    const answer = await end(phone.id)
    assert.deepEqual([answer.status, answer.body], [204, ''])
    assert.deepEqual(answer.headers.getSetCookie(), [])
    assert.equal(await status(phone), 401)
    assert.equal(await status(laptop), 200)
    assert.equal(await reasonOf(phone.id), 'ended_by_user')
    assert.equal((await list()).length, 2)
  })

  test('ends a program’s tokens, both of them', async () => {
    const { access_token: token, refresh_token } = client
    assert.equal((await end(sidOf(token).toUpperCase())).status, 204)
    assertProblem(await pie.request('/users/me', { token }), 401, 'unauthenticated')
    const refreshed = await pie.request('/auth/refresh', { body: { refresh_token } })
    assertProblem(refreshed, 401, 'invalid_refresh_token')
  })

  test('that is this one takes its cookie away', async () => {
    const answer = await end(laptop.id)
    assert.equal(answer.status, 204)
    assert.match(answer.headers.getSetCookie()[0] ?? '', /^pie_session_3000=; Max-Age=0; /)
    assert.equal(await status(laptop), 401)
    assert.equal(await status(phone), 200)
  })

  test('twice finds nothing the second time', async () => {
    await end(phone.id)
    const earlier = await snapshot(pie.owner)
    assertProblem(await end(phone.id), 404, 'not_found')
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('of somebody else, or of nobody, finds nothing and changes nothing', async () => {
    const grace = await browse('/auth/register', firefox, `grace${people}@example.com`)
    const earlier = await snapshot(pie.owner)
    for (const id of [grace.id, '3f1c2c5e-1111-4222-8333-444455556666'])
      assertProblem(await end(id), 404, 'not_found')
    assert.deepEqual(await snapshot(pie.owner), earlier)
    assert.equal(await status(grace), 200)
  })

  test('with an id that is none is refused, and changes nothing', async () => {
    const earlier = await snapshot(pie.owner)
    for (const id of [
      'x',
      'null',
      `${phone.id}x`,
      phone.id.slice(1),
      `{${phone.id}}`,
      phone.id.replaceAll('-', ''),
      `urn:uuid:${phone.id}`,
      '%00',
    ])
      assertProblem(await end(id), 400, 'invalid_request')
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })
})

describe('signing all other devices out', () => {
  test('ends them, also one that only a renewal would bring back, and says how many', async () => {
    await pie.owner.query(
      `update pie_private.sessions set expires_at = now() - interval '1 day' where id = $1`,
      [phone.id],
    )
    const answer = await as(laptop, '/auth/sessions', { method: 'DELETE' })
    assert.deepEqual([answer.status, answer.body], [200, { ended: 2 }])
    assert.equal(await status(phone), 401)
    assert.equal((await pie.request('/users/me', { token: client.access_token })).status, 401)
    assert.deepEqual(
      (await list()).map(({ id }) => id),
      [laptop.id],
    )
    const again = await as(laptop, '/auth/sessions', { method: 'DELETE' })
    assert.deepEqual(again.body, { ended: 0 })
  })

  test('counts devices, as they are listed: neither what was renewed nor what is long over', async () => {
    await pie.owner.query(
      `update pie_private.sessions set expires_at = now() - interval '1 day' where id = any ($1)`,
      [[phone.id, sidOf(client.access_token)]],
    )
    assert.equal((await as(phone, '/auth/session')).status, 200)
    const others = (await list()).length - 1
    assert.equal(others, 1)
    const answer = await as(laptop, '/auth/sessions', { method: 'DELETE' })
    assert.deepEqual(answer.body, { ended: others })
  })

  test('by token spares the token’s own session', async () => {
    const { access_token: token } = client
    const answer = await pie.request('/auth/sessions', { method: 'DELETE', token })
    assert.deepEqual(answer.body, { ended: 2 })
    assert.equal((await pie.request('/users/me', { token })).status, 200)
    assert.deepEqual([await status(laptop), await status(phone)], [401, 401])
  })
})

describe('a change of the user', () => {
  const names = (devices: Device[]) =>
    Promise.all(devices.map(async (device) => (await as(device, '/auth/session')).body.user.name))

  test('on one device is seen by every other on its next request', async () => {
    assert.deepEqual(await names([laptop, phone]), [null, null])
    const body = { name: 'Ada Lovelace' }
    assert.equal((await as(laptop, '/users/me', { method: 'PATCH', body })).status, 200)
    assert.deepEqual(await names([laptop, phone]), [body.name, body.name])
    const { access_token: token } = client
    const seen = await pie.request('/auth/session', { token })
    assert.equal(seen.body.user.name, body.name)
  })
})
