import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { proveSession } from '../../server/src/features/sessions/prove-session.ts'
import { deriveKeys } from '../../server/src/ground/crypto/derive-keys.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { testSecretKey } from '../harness/cluster.ts'
import {
  type Answer,
  assertProblem,
  register,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

let pie: TestPie
before(async () => {
  pie = await startTestPie()
})
after(() => pie.close())

let people = 0
let person: Answer['body']
let sessionId: string
beforeEach(async () => {
  people += 1
  person = await register(pie, `person${people}`)
  sessionId = JSON.parse(
    Buffer.from(person.refresh_token.split('.')[1], 'base64url').toString(),
  ).sid
})

const refresh = (refresh_token: string): Promise<Answer> =>
  pie.request('/auth/refresh', { body: { refresh_token } })

const me = async (token: string): Promise<number> =>
  (await pie.request('/users/me', { token })).status

/** The retry window is 30 seconds from the last refresh. */
const refreshedAgo = (seconds: number) =>
  pie.owner.query(
    `update pie_private.sessions set refreshed_at = now() - make_interval(secs => $2) where id = $1`,
    [sessionId, seconds],
  )

const session = async () => {
  const { rows } = await pie.owner.query(
    'select revoked_reason, refresh_generation from pie_private.sessions where id = $1',
    [sessionId],
  )
  return rows[0]
}

const auditOf = async (event: string) => {
  const { rows } = await pie.owner.query(
    'select user_id, detail from pie_private.audit_log where session_id = $1 and event = $2',
    [sessionId, event],
  )
  return rows
}

describe('a refresh token that has been used', () => {
  test('is a retry for almost 30 seconds', async () => {
    await refresh(person.refresh_token)
    await refreshedAgo(25)
    assert.equal((await refresh(person.refresh_token)).status, 200)
    assert.equal((await session()).revoked_reason, null)
  })

  test('is a theft afterwards: the session ends, for the thief and for the owner', async () => {
    const successor = (await refresh(person.refresh_token)).body
    await refreshedAgo(31)
    assertProblem(await refresh(person.refresh_token), 401, 'invalid_refresh_token')
    assert.deepEqual(await session(), { revoked_reason: 'stolen', refresh_generation: 1 })
    assert.equal(await me(person.access_token), 401)
    assert.equal(await me(successor.access_token), 401)
    assertProblem(await refresh(successor.refresh_token), 401, 'invalid_refresh_token')
    assert.deepEqual(await auditOf('session.stolen'), [
      { user_id: person.user.id, detail: { presented: 0, current: 1 } },
    ])
    const warning = pie.log.find((line) => line.includes(sessionId))
    assert.match(warning ?? '', /used refresh token/)
  })

  test('is a theft at once when it is older than the one before', async () => {
    const second = (await refresh(person.refresh_token)).body
    const third = (await refresh(second.refresh_token)).body
    assertProblem(await refresh(person.refresh_token), 401, 'invalid_refresh_token')
    assert.equal((await session()).revoked_reason, 'stolen')
    assert.equal(await me(third.access_token), 401)
  })

  test('ends no other session of its user', async () => {
    const login = await pie.request('/auth/login', {
      body: { email: person.user.email, password: 'correct horse battery staple' },
    })
    await refresh(person.refresh_token)
    await refreshedAgo(31)
    await refresh(person.refresh_token)
    assert.equal(await me(person.access_token), 401)
    assert.equal(await me(login.body.access_token), 200)
    assert.equal((await refresh(login.body.refresh_token)).status, 200)
  })

  test('of an ended session is refused without another word in the audit log', async () => {
    await refresh(person.refresh_token)
    await refreshedAgo(31)
    await refresh(person.refresh_token)
    const earlier = await snapshot(pie.owner)
    assertProblem(await refresh(person.refresh_token), 401, 'invalid_refresh_token')
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('by twenty thieves at once is one theft', async () => {
    await refresh(person.refresh_token)
    await refreshedAgo(31)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => refresh(person.refresh_token)),
    )
    for (const answer of answers) assertProblem(answer, 401, 'invalid_refresh_token')
    assert.equal((await auditOf('session.stolen')).length, 1)
  })
})

describe('a refresh token', () => {
  test('is refused after signing out, and so is the retry of its last use', async () => {
    const { body } = await refresh(person.refresh_token)
    await pie.request('/auth/logout', { method: 'POST', token: body.access_token })
    const earlier = await snapshot(pie.owner)
    for (const token of [body.refresh_token, person.refresh_token]) {
      assertProblem(await refresh(token), 401, 'invalid_refresh_token')
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('is as good as before after a transaction that refreshed was rolled back', async () => {
    const { proofs } = proveSession(deriveKeys([Secret.fromText(testSecretKey)]), sessionId)
    const earlier = await snapshot(pie.owner)
    await pie.owner.query('begin')
    const { rows } = await pie.owner.query(
      `select outcome from pie_private.refresh_session($1, $2, 0, '7 days', '30 seconds', null)`,
      [sessionId, proofs],
    )
    assert.deepEqual(rows, [{ outcome: 'rotated' }])
    await pie.owner.query('rollback')
    assert.deepEqual(await snapshot(pie.owner), earlier)
    assert.equal((await refresh(person.refresh_token)).status, 200)
    assert.equal((await session()).refresh_generation, 1)
  })

  test('is refused once it has expired, by Pie’s clock and by that of Postgres', async () => {
    await pie.owner.query('update pie_private.sessions set expires_at = now() where id = $1', [
      sessionId,
    ])
    const earlier = await snapshot(pie.owner)
    assertProblem(await refresh(person.refresh_token), 401, 'invalid_refresh_token')
    assert.equal(await me(person.access_token), 401)
    assert.deepEqual(await snapshot(pie.owner), earlier)

    const late = await startTestPie({ databaseUrl: pie.databaseUrl })
    const grace = await register(late, 'grace')
    late.passSeconds(7 * 86_400 + 1)
    const before = await snapshot(pie.owner)
    const answer = await late.request('/auth/refresh', {
      body: { refresh_token: grace.refresh_token },
    })
    await late.close()
    assertProblem(answer, 401, 'invalid_refresh_token')
    assert.deepEqual(await snapshot(pie.owner), before)
  })
})
