import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
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
/** Another node, which has verified the same tokens. */
let node: TestPie
before(async () => {
  pie = await startTestPie()
  node = await startTestPie({ databaseUrl: pie.databaseUrl })
})
after(async () => {
  await node.close()
  await pie.close()
})

let people = 0
let person: Answer['body']
beforeEach(async () => {
  people += 1
  person = await register(pie, `person${people}`)
  for (const at of [pie, node]) {
    assert.equal((await at.request('/users/me', { token: person.access_token })).status, 200)
  }
})

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

const byId = (sql: string) => pie.owner.query(sql, [person.user.id])

const signIn = (at: TestPie = pie) =>
  at.request('/auth/login', { body: { email: person.user.email, password: goodPassword } })

/** Every way to act as this person, or to get what would let one act as them. */
async function assertShutOut(): Promise<void> {
  const except = ['pie_private.throttles', 'pie_private.audit_log']
  const earlier = await snapshot(pie.owner, except)
  const { access_token: token, refresh_token } = person
  for (const at of [pie, node]) {
    assertProblem(await at.request('/users/me', { token }), 401, 'unauthenticated')
    const body = { name: 'Still here' }
    const change = await at.request('/users/me', { method: 'PATCH', token, body })
    assertProblem(change, 401, 'unauthenticated')
    const refreshed = await at.request('/auth/refresh', { body: { refresh_token } })
    assertProblem(refreshed, 401, 'invalid_refresh_token')
    assertProblem(await signIn(at), 401, 'invalid_credentials')
  }
  assert.deepEqual(await snapshot(pie.owner, except), earlier)
}

const rowsOfPerson = async () => {
  const { rows } = await byId(
    `select (select count(*) from pie_schema.user_emails where user_id = $1)::integer as emails,
            (select count(*) from pie_schema.user_roles where user_id = $1)::integer as roles,
            (select count(*) from pie_private.passwords where user_id = $1)::integer as passwords,
            (select count(*) from pie_private.sessions where user_id = $1)::integer as sessions,
            (select count(*) from pie_private.audit_log where user_id = $1)::integer as audited`,
  )
  return rows[0]
}

describe('a user who is disabled', () => {
  test('is shut out of every door of every node at once', async () => {
    await byId('update pie_schema.users set disabled_at = now() where id = $1')
    await assertShutOut()
    const { rows } = await byId(
      'select revoked_reason from pie_private.sessions where user_id = $1',
    )
    assert.deepEqual(rows, [{ revoked_reason: 'user_disabled' }])
  })

  test('may sign in again when enabled, but the old session stays ended', async () => {
    await byId('update pie_schema.users set disabled_at = now() where id = $1')
    await byId('update pie_schema.users set disabled_at = null where id = $1')
    const me = await pie.request('/users/me', { token: person.access_token })
    assertProblem(me, 401, 'unauthenticated')
    const { refresh_token } = person
    const refreshed = await pie.request('/auth/refresh', { body: { refresh_token } })
    assertProblem(refreshed, 401, 'invalid_refresh_token')
    assert.equal((await signIn()).status, 200)
  })

  test('while signing in gets no session that outlives it', async () => {
    const attempts = Promise.all(Array.from({ length: 8 }, () => signIn()))
    await byId('update pie_schema.users set disabled_at = now() where id = $1')
    for (const { status, body } of await attempts) {
      if (status !== 200) continue
      const { access_token: token, refresh_token } = body
      assertProblem(await pie.request('/users/me', { token }), 401, 'unauthenticated')
      const refreshed = await pie.request('/auth/refresh', { body: { refresh_token } })
      assertProblem(refreshed, 401, 'invalid_refresh_token')
    }
    const { rows } = await byId(
      'select from pie_private.sessions where user_id = $1 and revoked_at is null',
    )
    assert.equal(rows.length, 0)
  })
})

describe('a user who is deleted', () => {
  test('is shut out, and nothing is left of them but what the audit log says', async () => {
    const { audited } = await rowsOfPerson()
    assert.ok(audited >= 2)
    await byId('delete from pie_schema.users where id = $1')
    const nothing = { emails: 0, roles: 0, passwords: 0, sessions: 0 }
    assert.deepEqual(await rowsOfPerson(), { ...nothing, audited })
    await assertShutOut()
  })

  test('leaves an address that somebody else may register, as somebody else', async () => {
    await byId('delete from pie_schema.users where id = $1')
    const again = await pie.request('/auth/register', {
      body: { email: person.user.email, password: goodPassword },
    })
    assert.equal(again.status, 201)
    assert.notEqual(again.body.user.id, person.user.id)
    const me = await pie.request('/users/me', { token: person.access_token })
    assertProblem(me, 401, 'unauthenticated')
  })
})

describe('a role', () => {
  const changeRole = (change: 'grant' | 'revoke') =>
    pie.owner.query(`select pie_private.${change}_role($1, 'admin')`, [person.user.email])
  const rolesOf = async (at: TestPie, token: string) =>
    (await at.request('/users/me', { token })).body.roles

  test('that is taken away is gone from the next request on, on every node', async () => {
    await changeRole('grant')
    const admin = (await signIn()).body
    assert.deepEqual(claimsOf(admin.access_token).roles, ['admin', 'viewer'])
    for (const at of [pie, node]) {
      assert.deepEqual(await rolesOf(at, admin.access_token), ['admin', 'viewer'])
    }
    await changeRole('revoke')
    for (const at of [pie, node]) {
      assert.deepEqual(await rolesOf(at, admin.access_token), ['viewer'])
    }
    const refreshed = await pie.request('/auth/refresh', {
      body: { refresh_token: admin.refresh_token },
    })
    const { roles, permissions } = claimsOf(refreshed.body.access_token)
    assert.deepEqual({ roles, permissions }, { roles: ['viewer'], permissions: [] })
  })
})
