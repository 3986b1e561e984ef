import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import pg from 'pg'
import { untilWaiting } from '../harness/nodes.ts'
import {
  type Answer,
  assertProblem,
  register,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

let pie: TestPie
/** Somebody else at the database, who holds locks. */
let other: pg.Client
before(async () => {
  pie = await startTestPie()
  other = new pg.Client({ connectionString: pie.databaseUrl })
  await other.connect()
})
after(async () => {
  await other.end()
  await pie.close()
})

let people = 0
let refresh_token: string
let access_token: string
let sessionId: string
beforeEach(async () => {
  people += 1
  const person = await register(pie, `person${people}`)
  refresh_token = person.refresh_token
  access_token = person.access_token
  sessionId = claimsOf(refresh_token)['sid'] as string
})

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

const refresh = (token: string, at: Pick<TestPie, 'request'> = pie): Promise<Answer> =>
  at.request('/auth/refresh', { body: { refresh_token: token } })

const me = async (token: string): Promise<number> =>
  (await pie.request('/users/me', { token })).status

const generation = async (): Promise<number> => {
  const { rows } = await pie.owner.query(
    'select refresh_generation from pie_private.sessions where id = $1',
    [sessionId],
  )
  return rows[0].refresh_generation
}

describe('refreshing', () => {
  test('twice at once gives both the same refresh token, byte for byte, and moves on once', async () => {
    const [one, two] = await Promise.all([refresh(refresh_token), refresh(refresh_token)])
    assert.deepEqual([one.status, two.status], [200, 200])
    assert.equal(one.body.refresh_token, two.body.refresh_token)
    assert.notEqual(one.body.refresh_token, refresh_token)
    assert.equal(await generation(), 1)
    for (const { body } of [one, two]) assert.equal(await me(body.access_token), 200)
  })

  test('twenty times at once, on two nodes, is no different', async () => {
    const node = await startTestPie({ databaseUrl: pie.databaseUrl })
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => refresh(refresh_token, index % 2 ? pie : node)),
    )
    await node.close()
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
    assert.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, 1)
    assert.equal(await generation(), 1)
  })

  test('again because the answer was lost gives the same refresh token again', async () => {
    const first = await refresh(refresh_token)
    const retried = await refresh(refresh_token)
    assert.equal(retried.status, 200)
    assert.equal(retried.body.refresh_token, first.body.refresh_token)
    assert.equal((await refresh(retried.body.refresh_token)).status, 200)
    assert.equal(await generation(), 2)
  })

  test('goes on after Pie was restarted, retry and all', async () => {
    const first = await refresh(refresh_token)
    const restarted = await startTestPie({ databaseUrl: pie.databaseUrl })
    const retried = await refresh(refresh_token, restarted)
    const next = await refresh(first.body.refresh_token, restarted)
    await restarted.close()
    assert.equal(retried.body.refresh_token, first.body.refresh_token)
    assert.equal(next.status, 200)
  })

  test('that comes while the session is being revoked is refused when that is done', async () => {
    await other.query('begin')
    await other.query(
      `update pie_private.sessions set revoked_at = now(), revoked_reason = 'logout' where id = $1`,
      [sessionId],
    )
    const refreshing = refresh(refresh_token)
    await untilWaiting(pie.owner, 1)
    await other.query('commit')
    const answer = await refreshing
    assertProblem(answer, 401, 'invalid_refresh_token')
    assert.equal(await generation(), 0)
    assert.equal(await me(access_token), 401)
  })

  test('that comes while the session is being revoked goes on if that is taken back', async () => {
    await other.query('begin')
    await other.query(
      `update pie_private.sessions set revoked_at = now(), revoked_reason = 'logout' where id = $1`,
      [sessionId],
    )
    const refreshing = refresh(refresh_token)
    await untilWaiting(pie.owner, 1)
    await other.query('rollback')
    assert.equal((await refreshing).status, 200)
  })

  test('whose connection to Postgres is cut has not happened', async () => {
    await other.query('begin')
    await other.query('select from pie_private.sessions where id = $1 for update', [sessionId])
    const refreshing = refresh(refresh_token)
    await untilWaiting(pie.owner, 1)
    const earlier = await snapshot(pie.owner)
    await pie.owner.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    )
    const answer = await refreshing
    await other.query('rollback')
    assertProblem(answer, 503, 'database_unavailable')
    assert.ok(Number(answer.headers.get('retry-after')) >= 1)
    assert.deepEqual(await snapshot(pie.owner), earlier)
    assert.equal((await refresh(refresh_token)).status, 200)
  })

  test('never goes past the absolute limit', async () => {
    await pie.owner.query(
      `update pie_private.sessions
       set expires_at = now() + interval '1 minute', absolute_expires_at = now() + interval '1 hour'
       where id = $1`,
      [sessionId],
    )
    const answer = await refresh(refresh_token)
    assert.equal(answer.status, 200)
    const left = Number(claimsOf(answer.body.refresh_token)['exp']) - Date.now() / 1000
    assert.ok(left > 3500 && left <= 3600, `${left} s left`)

    await pie.owner.query(
      `update pie_private.sessions set expires_at = now(), absolute_expires_at = now() where id = $1`,
      [sessionId],
    )
    const earlier = await snapshot(pie.owner)
    assertProblem(await refresh(answer.body.refresh_token), 401, 'invalid_refresh_token')
    assert.equal(await me(answer.body.access_token), 401)
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })
})
