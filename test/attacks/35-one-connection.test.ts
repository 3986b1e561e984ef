import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import pg from 'pg'
import { untilWaiting } from '../harness/nodes.ts'
import {
  type Answer,
  assertProblem,
  goodPassword,
  register,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

/** Everybody's requests go through one connection, and each must find it as if it were new. */
let pie: TestPie
let ada: Answer['body']
let grace: Answer['body']
let other: pg.Client
before(async () => {
  pie = await startTestPie({ settings: { DATABASE_CONNECTIONS: '1' } })
  await register(pie, 'ada')
  grace = await register(pie, 'grace')
  await pie.owner.query(`select pie_private.grant_role('ada@example.com', 'admin')`)
  const login = { email: 'ada@example.com', password: goodPassword }
  ada = (await pie.request('/auth/login', { body: login })).body
  // Ways for a change to fail that Pie does not expect: in the statement, and in the commit.
  await pie.owner.query(`
    create function pie_private.fail() returns trigger language plpgsql as $$
      begin raise exception 'not this name: %', new.name; end $$;
    create trigger fails_now before update on pie_schema.users
      for each row when (new.name = 'Fail now') execute function pie_private.fail();
    create constraint trigger fails_late after update on pie_schema.users
      deferrable initially deferred for each row when (new.name = 'Fail late')
      execute function pie_private.fail()`)
  other = new pg.Client({ connectionString: pie.databaseUrl })
  await other.connect()
})
after(async () => {
  await other.end()
  await pie.close()
})

const me = (token?: string) => pie.request('/users/me', token === undefined ? {} : { token })
const rename = (token: string, name: string) =>
  pie.request('/users/me', { method: 'PATCH', token, body: { name } })

/** Runs a request of ada's into a lock, and does something to it there. */
async function interrupt(what: 'pg_cancel_backend' | 'pg_terminate_backend'): Promise<Answer> {
  await other.query('begin')
  await other.query('select from pie_schema.users where id = $1 for update', [ada.user.id])
  const renaming = rename(ada.access_token, 'Interrupted')
  await untilWaiting(pie.owner, 1)
  await pie.owner.query(
    `select ${what}(pid) from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'`,
  )
  const answer = await renaming
  await other.query('rollback')
  return answer
}

/** What comes after ada's request is grace's own, or nobody's: a change, which has the connection, and a read. */
async function assertNothingLeftOver(): Promise<void> {
  assert.equal((await rename(grace.access_token, 'Grace')).body.email, 'grace@example.com')
  assertProblem(await me(), 401, 'unauthenticated')
  assert.equal((await me(grace.access_token)).body.email, 'grace@example.com')
  assertProblem(await me(`${ada.access_token}x`), 401, 'unauthenticated')
  const { rows } = await pie.owner.query(
    `select state, xact_start is null as is_idle from pg_stat_activity
     where datname = current_database() and usename = 'cream' and application_name = 'pie'`,
  )
  assert.deepEqual(rows, [{ state: 'idle', is_idle: true }])
}

let earlier: Record<string, string>
beforeEach(async () => {
  assert.equal((await me(ada.access_token)).body.roles.includes('admin'), true)
  earlier = await snapshot(pie.owner)
})

describe('on one connection, after a request of an admin that', () => {
  test('went well, others are themselves', async () => {
    await assertNothingLeftOver()
    assert.equal((await rename(grace.access_token, 'Grace Hopper')).body.email, 'grace@example.com')
    assert.equal((await me(ada.access_token)).body.name, null)
  })

  test('failed in a statement, others are themselves', async () => {
    assertProblem(await rename(ada.access_token, 'Fail now'), 500, 'internal')
    assert.deepEqual(await snapshot(pie.owner), earlier)
    await assertNothingLeftOver()
  })

  test('failed in its commit, others are themselves', async () => {
    assertProblem(await rename(ada.access_token, 'Fail late'), 500, 'internal')
    assert.deepEqual(await snapshot(pie.owner), earlier)
    await assertNothingLeftOver()
  })

  test('was cancelled, others are themselves', async () => {
    assertProblem(await interrupt('pg_cancel_backend'), 503, 'timeout')
    assert.deepEqual(await snapshot(pie.owner), earlier)
    await assertNothingLeftOver()
  })

  test('lost its connection, others are themselves, on another connection', async () => {
    assertProblem(await interrupt('pg_terminate_backend'), 503, 'database_unavailable')
    assert.deepEqual(await snapshot(pie.owner), earlier)
    await assertNothingLeftOver()
  })

  test('was refused, others are themselves', async () => {
    const login = { email: 'ada@example.com', password: goodPassword }
    const { access_token: ended } = (await pie.request('/auth/login', { body: login })).body
    await pie.request('/auth/logout', { method: 'POST', token: ended })
    assertProblem(await rename(ended, 'Nobody'), 401, 'unauthenticated')
    await assertNothingLeftOver()
  })

  test('was one of a hundred at once, everybody is themselves', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const [person, email] = index % 2 ? [ada, 'ada@example.com'] : [grace, 'grace@example.com']
        if (index % 10 === 3) await rename(ada.access_token, 'Fail late')
        if (index % 10 === 5) await me(`${person.access_token}x`)
        const answer = await me(person.access_token)
        return { status: answer.status, isOwn: answer.body.email === email }
      }),
    )
    assert.deepEqual(answers, Array(100).fill({ status: 200, isOwn: true }))
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })
})
