import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import pg from 'pg'
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

let pie: TestPie
let ada: Answer['body']
let name: string
/** Connected to another database of the same server. */
let admin: pg.Client
before(async () => {
  pie = await startTestPie()
  ada = await register(pie, 'ada')
  const url = new URL(pie.databaseUrl)
  name = url.pathname.slice(1)
  url.pathname = '/postgres'
  admin = new pg.Client({ connectionString: url.href })
  await admin.connect()
})
after(async () => {
  await admin.end()
  await pie.close()
})

/** Cuts every connection of Pie's, and refuses new ones. */
async function takeAway(): Promise<void> {
  await admin.query(`alter database ${name} with allow_connections false`)
  // Again and again: one that was being made just then comes a moment later.
  await until(async () => {
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = $1 and usename in ('pie_auth', 'cream')`,
      [name],
    )
    return (await connectionsOfPie()) === 0
  })
}

const giveBack = () => admin.query(`alter database ${name} with allow_connections true`)

const connectionsOfPie = async (): Promise<number> => {
  const { rows } = await admin.query(
    `select count(*)::integer as count from pg_stat_activity
     where datname = $1 and usename in ('pie_auth', 'cream')`,
    [name],
  )
  return rows[0].count
}

const login = { email: 'ada@example.com', password: goodPassword }

/** One request through each door, with the status that it has on a good day. */
const doors: [string, () => Promise<Answer>, number][] = [
  [
    'register',
    () =>
      pie.request('/auth/register', {
        body: { ...login, email: `ada${Math.random()}@example.com` },
      }),
    201,
  ],
  ['login', () => pie.request('/auth/login', { body: login }), 200],
  [
    'refresh',
    () => pie.request('/auth/refresh', { body: { refresh_token: ada.refresh_token } }),
    200,
  ],
  ['me', () => pie.request('/users/me', { token: ada.access_token }), 200],
  [
    'change me',
    () =>
      pie.request('/users/me', { method: 'PATCH', token: ada.access_token, body: { name: 'Ada' } }),
    200,
  ],
  ['ready', () => pie.request('/health/ready'), 200],
  ['logout', () => pie.request('/auth/logout', { method: 'POST', token: ada.access_token }), 204],
]

function assertUnavailable(door: string, answer: Answer): void {
  assert.equal(answer.status, 503, `${door}: ${JSON.stringify(answer.body)}`)
  assertProblem(answer, 503, 'database_unavailable')
  assert.ok(Number(answer.headers.get('retry-after')) >= 1, door)
  assert.deepEqual(Object.keys(answer.body), ['type', 'title', 'status', 'code'], door)
}

describe('while Postgres is gone', () => {
  let earlier: Record<string, string>
  beforeEach(async () => {
    earlier = await snapshot(pie.owner)
    await takeAway()
  })

  test('every door says so and when to come back, what needs no database goes on, and all recovers', async () => {
    for (const [door, knock] of doors) assertUnavailable(door, await knock())
    for (const [door, knock] of doors) assertUnavailable(`${door} again`, await knock())
    assert.equal((await pie.request('/health/live')).status, 200)
    assert.equal((await pie.request('/.well-known/jwks.json')).body.keys.length, 1)
    const forged = await pie.request('/users/me', { token: `${ada.access_token}x` })
    assertProblem(forged, 401, 'unauthenticated')
    assertProblem(await pie.request('/nowhere'), 404, 'not_found')
    assert.deepEqual(await snapshot(pie.owner), earlier)
    const failed = pie.log
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => msg === 'request failed')
    assert.ok(failed.length >= 2 * doors.length)
    for (const line of failed) {
      assert.equal(line.code, 'database_unavailable')
      assert.ok(line.err.message.length > 0 && !JSON.stringify(line).includes('    at '))
    }

    await giveBack()
    for (const [door, knock, status] of doors) assert.equal((await knock()).status, status, door)
  })
})

describe('when only the connections are cut', () => {
  test('each is noticed by one request at most, and the others get new ones', async () => {
    const { access_token: token } = (await pie.request('/auth/login', { body: login })).body
    const askTwentyTimes = () =>
      Promise.all(Array.from({ length: 20 }, () => pie.request('/users/me', { token })))
    await askTwentyTimes()
    const cut = await connectionsOfPie()
    assert.ok(cut >= 1)
    await takeAway()
    await giveBack()
    const refused = (await askTwentyTimes()).filter(({ status }) => status !== 200)
    for (const answer of refused) assertUnavailable('me', answer)
    assert.ok(refused.length <= cut, `${refused.length} were refused`)
    for (const { status } of await askTwentyTimes()) assert.equal(status, 200)
  })

  test('nobody else is let in, and no process has died', async () => {
    assertProblem(await pie.request('/users/me'), 401, 'unauthenticated')
    assert.equal((await pie.request('/health/ready')).status, 200)
  })
})
