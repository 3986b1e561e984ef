/** What an operator does with users and sessions while Pie runs: `pie session`, `pie user`, `pie cache`. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
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
import { type Finished, runPie } from '../harness/process.ts'

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'

let pie: TestPie
before(async () => {
  pie = await startTestPie()
})
after(() => pie.close())

const run = (...args: string[]): Promise<Finished> =>
  runPie(args, {
    DATABASE_URL: pie.databaseUrl,
    SECRET_KEY: testSecretKey,
    SOCKET: new URL(pie.pie.address).host,
  })

const runForJson = async (...args: string[]) => {
  const { code, stdout, stderr } = await run(...args, '--json')
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

let people = 0
let person: Answer['body']
let cookie: string
beforeEach(async () => {
  people += 1
  person = await register(pie, `person${people}`)
  const body = { email: person.user.email, password: goodPassword, transport: 'cookie' }
  const login = await pie.request('/auth/login', { body, headers: { 'user-agent': firefox } })
  cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
})

const session = () => pie.request('/auth/session', { headers: { cookie } })
const byToken = () => pie.request('/users/me', { token: person.access_token })

/** Another process did it: this node hears of it, within the promise. */
async function untilShutOut(): Promise<void> {
  const end = performance.now() + 2_000
  while ((await session()).status === 200 && performance.now() < end);
  assertProblem(await session(), 401, 'unauthenticated')
  assertProblem(await byToken(), 401, 'unauthenticated')
}

describe('pie session', () => {
  test('lists what a user is signed in with, in words, and nothing that opens anything', async () => {
    const { sessions } = await runForJson('session', 'list', person.user.email)
    assert.deepEqual(
      sessions.map(({ kind, device, email }: Record<string, string>) => ({ kind, device, email })),
      [
        { kind: 'browser', device: 'Firefox on Linux', email: person.user.email },
        { kind: 'token', device: 'node', email: person.user.email },
      ],
    )
    const { stdout } = await run('session', 'list')
    assert.match(stdout, /Firefox on Linux/)
    assert.equal(stdout.includes(cookie.split('.')[1] ?? ''), false)
  })

  test('revokes one, and leaves the others', async () => {
    const { sessions } = await runForJson('session', 'list', person.user.email)
    const browser = sessions.find(({ kind }: { kind: string }) => kind === 'browser')
    assert.equal((await session()).status, 200)
    assert.deepEqual(await runForJson('session', 'revoke', browser.id), { ended: 1 })
    const end = performance.now() + 2_000
    while ((await session()).status === 200 && performance.now() < end);
    assertProblem(await session(), 401, 'unauthenticated')
    assert.equal((await byToken()).status, 200)
    const again = await run('session', 'revoke', browser.id)
    assert.equal(again.code, 1)
    assert.match(again.stderr, /There is no live session/)
  })

  test('revokes all of a user', async () => {
    assert.equal((await session()).status, 200)
    assert.deepEqual(await runForJson('session', 'revoke', person.user.email), { ended: 2 })
    await untilShutOut()
  })

  test('says so when there is no such user', async () => {
    for (const verb of ['list', 'revoke']) {
      const { code, stderr } = await run('session', verb, 'nobody@example.com')
      assert.equal(code, 1)
      assert.match(stderr, /There is no user with the address nobody@example.com/)
    }
  })
})

describe('pie user', () => {
  const signIn = () =>
    pie.request('/auth/login', { body: { email: person.user.email, password: goodPassword } })

  test('disable keeps a user out everywhere, and enable lets them sign in again', async () => {
    assert.equal((await session()).status, 200)
    assert.deepEqual(await runForJson('user', 'disable', person.user.email), {
      email: person.user.email,
    })
    await untilShutOut()
    assertProblem(await signIn(), 401, 'invalid_credentials')
    await runForJson('user', 'enable', person.user.email)
    assert.equal((await signIn()).status, 200)
    assertProblem(await session(), 401, 'unauthenticated')
  })

  test('delete asks whether it is meant, and then leaves nothing but the audit log', async () => {
    const earlier = await snapshot(pie.owner)
    const unsure = await run('user', 'delete', person.user.email)
    assert.equal(unsure.code, 1)
    assert.match(unsure.stderr, /--yes/)
    assert.deepEqual(await snapshot(pie.owner), earlier)

    await runForJson('user', 'delete', person.user.email, '--yes')
    await untilShutOut()
    const { rows } = await pie.owner.query(
      `select (select count(*) from pie_schema.users where id = $1)::integer as users,
              (select count(*) from pie_private.sessions where user_id = $1)::integer as sessions,
              (select max(event) from pie_private.audit_log where user_id = $1 and event = 'user.deleted') as event`,
      [person.user.id],
    )
    assert.deepEqual(rows, [{ users: 0, sessions: 0, event: 'user.deleted' }])
  })

  test('says so when there is no such user', async () => {
    for (const change of [['disable'], ['enable'], ['delete', '--yes']]) {
      const [verb = '', ...options] = change
      const { code, stderr } = await run('user', verb, 'nobody@example.com', ...options)
      assert.equal(code, 1)
      assert.match(stderr, /There is no user with the address nobody@example.com/)
    }
  })
})

describe('pie cache status', () => {
  test('says what the running node believes, and why', async () => {
    let status: Answer['body']
    await until(async () => {
      assert.equal((await session()).status, 200)
      status = await runForJson('cache', 'status')
      return status.hears && status.entries >= 1
    })
    assert.equal(status.shared, 'none')
    assert.ok(status.silent_for_ms < status.trust_ms)
    const { stdout } = await run('cache', 'status', pie.pie.address)
    assert.match(
      stdout,
      /believes its cache {2}yes: the last heartbeat that came back was sent \d+ ms ago/,
    )
  })

  test('is for the holder of SECRET_KEY alone', async () => {
    assertProblem(await pie.request('/health/cache'), 401, 'unauthenticated')
    for (const token of [person.access_token, '1.2', `9999999999.${'A'.repeat(43)}`])
      assertProblem(await pie.request('/health/cache', { token }), 401, 'unauthenticated')
    const stranger = await runPie(['cache', 'status', pie.pie.address], {
      SECRET_KEY: 'Zk3pW9xQ6vT1mR8nB4cJ7dL2sF5gH0yE-stranger',
    })
    assert.equal(stranger.code, 1)
    assert.match(stranger.stderr, /has another SECRET_KEY/)
  })

  test('says so when no node answers', async () => {
    const { code, stderr } = await run('cache', 'status', 'http://127.0.0.1:9')
    assert.equal(code, 1)
    assert.match(stderr, /No node answers at http:\/\/127\.0\.0\.1:9/)
  })
})
