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

const newPassword = 'an even better horse with 2 staples'

let pie: TestPie
/** Other connections of the owner's. The first holds locks. */
let holder: pg.Client
let deleter: pg.Client
before(async () => {
  pie = await startTestPie({ settings: { DATABASE_CONNECTIONS: '8' } })
  holder = new pg.Client({ connectionString: pie.databaseUrl })
  deleter = new pg.Client({ connectionString: pie.databaseUrl })
  await Promise.all([holder.connect(), deleter.connect()])
})
after(async () => {
  await Promise.all([holder.end(), deleter.end()])
  await pie.close()
})

let people = 0
let ada: Answer['body']
beforeEach(async () => {
  people += 1
  ada = await register(pie, `ada${people}`)
})

const change = (current_password = goodPassword): Promise<Answer> =>
  pie.request('/users/me/password', {
    method: 'PUT',
    token: ada.access_token,
    body: { current_password, new_password: newPassword },
  })

const signIn = (password: string): Promise<Answer> =>
  pie.request('/auth/login', { body: { email: ada.user.email, password } })

const me = async (token: string): Promise<number> =>
  (await pie.request('/users/me', { token })).status

const passwordOf = async () => {
  const { rows } = await pie.owner.query(
    `select hash, (select count(*) from pie_private.audit_log as log
                   where log.user_id = $1 and event = 'password.changed')::integer as changes
     from pie_private.passwords where user_id = $1`,
    [ada.user.id],
  )
  return rows[0]
}

const livingSessions = async (): Promise<number> => {
  const { rows } = await pie.owner.query(
    'select from pie_private.sessions where user_id = $1 and revoked_at is null',
    [ada.user.id],
  )
  return rows.length
}

describe('a change of password that is under way', () => {
  const endings = {
    'by the only session, when that is ended': `update pie_private.sessions set revoked_at = now(), revoked_reason = 'logout' where user_id = $1`,
    'of a user who is disabled': 'update pie_schema.users set disabled_at = now() where id = $1',
  }
  for (const [name, sql] of Object.entries(endings)) {
    test(`${name}, changes nothing and starts no session`, async () => {
      const earlier = await passwordOf()
      await holder.query('begin')
      await holder.query(sql, [ada.user.id])
      const changing = change()
      await untilWaiting(pie.owner, 1)
      await holder.query('commit')
      assertProblem(await changing, 401, 'unauthenticated')
      assert.deepEqual(await passwordOf(), earlier)
      assert.equal(await livingSessions(), 0)
    })
  }

  test('waits for a sign-in with the old password, and ends its session', async () => {
    await holder.query('begin')
    // The sign-in has found the old password right, and its session is not there yet.
    await holder.query('lock table pie_private.audit_log in share mode')
    const signingIn = signIn(goodPassword)
    await untilWaiting(pie.owner, 1)
    const changing = change()
    await untilWaiting(pie.owner, 2)
    await holder.query('rollback')
    const old = await signingIn
    assert.equal(old.status, 200)
    const changed = await changing
    assert.equal(changed.status, 200)
    assert.equal(await me(old.body.access_token), 401)
    assert.equal(await me(changed.body.access_token), 200)
    assert.equal(await livingSessions(), 1)
  })

  test('lets no sign-in with the old password through that waits for it', async () => {
    await holder.query('begin')
    await holder.query('lock table pie_private.audit_log in share mode')
    const changing = change()
    await untilWaiting(pie.owner, 1)
    const signingIn = signIn(goodPassword)
    await untilWaiting(pie.owner, 2)
    await holder.query('rollback')
    assert.equal((await changing).status, 200)
    assertProblem(await signingIn, 401, 'invalid_credentials')
    assert.equal(await livingSessions(), 1)
  })

  test('among sign-ins with the old password leaves none of their sessions alive', async () => {
    const signingIn = Promise.all(Array.from({ length: 8 }, () => signIn(goodPassword)))
    assert.equal((await change()).status, 200)
    for (const { status, body } of await signingIn) {
      if (status === 200) assert.equal(await me(body.access_token), 401)
    }
    assert.equal(await livingSessions(), 1)
  })

  for (const name of ['a change', 'a sign-in'] as const) {
    test(`is no deadlock with the deletion of the user: ${name} is refused`, async () => {
      await holder.query('begin')
      await holder.query('select from pie_private.passwords where user_id = $1 for update', [
        ada.user.id,
      ])
      const asking = name === 'a change' ? change() : signIn(goodPassword)
      await untilWaiting(pie.owner, 1)
      const deletion = deleter.query('delete from pie_schema.users where id = $1', [ada.user.id])
      await untilWaiting(pie.owner, 2)
      await holder.query('rollback')
      assert.equal((await deletion).rowCount, 1)
      assert.ok((await asking).status < 500)
    })
  }
})

describe('guessing the current password with a session that was found open', () => {
  const withStatus = (answers: Answer[], status: number) =>
    answers.filter((answer) => answer.status === status)

  test('200 times at once is 200 guesses: ten are looked at, and the rest told to wait', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => change(`guess number ${index}`)),
    )
    for (const answer of withStatus(answers, 401)) assertProblem(answer, 401, 'invalid_credentials')
    assert.equal(withStatus(answers, 401).length, 10)
    const refused = withStatus(answers, 429)
    assert.equal(refused.length, 190)
    for (const answer of refused) {
      assertProblem(answer, 429, 'too_many_attempts')
      const wait = Number(answer.headers.get('retry-after'))
      assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 60, `Retry-After: ${wait}`)
    }

    const earlier = await snapshot(pie.owner)
    assertProblem(await change(), 429, 'too_many_attempts')
    assert.deepEqual(await snapshot(pie.owner), earlier)
    await pie.owner.query(
      `update pie_private.throttles set empty_at = empty_at - interval '1 minute'`,
    )
    assert.equal((await change()).status, 200)
  })

  test('does not keep the owner from signing in', async () => {
    await Promise.all(Array.from({ length: 12 }, () => change('a guess that is wrong')))
    assert.equal((await signIn(goodPassword)).status, 200)
  })
})
