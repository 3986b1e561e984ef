import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import {
  addPerson,
  addSession,
  hashOf,
  openPeopledDatabase,
  type PeopledDatabase,
  type Person,
  proofOf,
  someHash,
  untilItWaits,
} from './people.ts'
import {
  assertNothingChanges,
  assertRefused,
  checkViolation,
  insufficientPrivilege,
  invalidAuthorization,
} from './refusals.ts'

let db: PeopledDatabase
let emmy: Person
let people = 0
before(async () => {
  db = await openPeopledDatabase()
})
after(() => db.close())
beforeEach(async () => {
  people += 1
  emmy = await addPerson(db.owner, `emmy${people}`)
})

const newHash = `${someHash}new`

type Call =
  | 'set_user_password'
  | 'create_role'
  | 'create_permission'
  | 'grant_permission'
  | 'revoke_permission'
const call = async (name: Call, ...values: (string | null)[]) =>
  (await db.owner.query(`select pie_private.${name}($1, $2) as answer`, values)).rows[0].answer

const changeEmail = async (email: string | null, newEmail: string | null) =>
  (await db.owner.query('select * from pie_private.change_user_email($1, $2)', [email, newEmail]))
    .rows[0]

async function addressesOf({ id }: Person) {
  const { rows } = await db.owner.query(
    'select email, is_primary, is_verified from pie_schema.user_emails where user_id = $1 order by email',
    [id],
  )
  return rows
}

const hashInUse = async ({ id }: Person): Promise<string> =>
  (await db.owner.query('select hash from pie_private.passwords where user_id = $1', [id])).rows[0]
    ?.hash

/** What has been added to the audit log since the last line of this id. */
async function linesSince(last: string) {
  const { rows } = await db.owner.query(
    'select event, user_id, detail from pie_private.audit_log where id > $1 order by id',
    [last],
  )
  return rows
}
const lastLine = async (): Promise<string> =>
  (await db.owner.query('select max(id) as id from pie_private.audit_log')).rows[0].id

const act = (session = emmy.session) => db.request({ ...emmy, session }, 'select 1')

test('a new password ends every session, and is one line in the log', async () => {
  await addSession(db.owner, emmy.id, '1 hour', 'browser')
  const last = await lastLine()
  assert.equal(await call('set_user_password', emmy.email, newHash), 2)
  assert.equal(await hashInUse(emmy), newHash)
  await assertRefused(db.owner, invalidAuthorization, () => act())
  await db.request(db.ada, 'select 1')
  assert.deepEqual(await linesSince(last), [
    { event: 'password.changed', user_id: emmy.id, detail: { by: 'operator' } },
  ])
  await act(await addSession(db.owner, emmy.id))
})

test('somebody who has no password is given one, and may change it however often others have tried', async () => {
  await db.owner.query('delete from pie_private.passwords where user_id = $1', [emmy.id])
  const key = `password-change:${emmy.id}`
  await db.owner.query(`insert into pie_private.throttles values ($1, now() + interval '1 hour')`, [
    key,
  ])
  assert.equal(await call('set_user_password', emmy.email, newHash), 1)
  assert.equal(await hashInUse(emmy), newHash)
  const { rows } = await db.owner.query('select from pie_private.throttles where key = $1', [key])
  assert.equal(rows.length, 0)
})

test('a sign-in with the old password, not yet committed, is ended by the new one', async () => {
  const server = await db.connectAs('pie_auth')
  const operator = await db.connectAs('owner')
  const id = '6f1b2c1e-8d0a-4d7e-9f59-1a2b3c4d5e6f'
  await server.query('begin')
  const { rowCount } = await server.query(
    `select from pie_private.complete_password_sign_in($1, $2, $3, $4, 'token', $5, '1 hour', '1 day', '192.0.2.1', null)`,
    [emmy.id, emmy.email, someHash, id, hashOf(proofOf(id))],
  )
  assert.equal(rowCount, 1)
  const setting = operator.query('select pie_private.set_user_password($1, $2) as ended', [
    emmy.email,
    newHash,
  ])
  await untilItWaits(db.owner, operator, setting)
  await server.query('commit')
  assert.equal((await setting).rows[0].ended, 2)
  await assertRefused(db.owner, invalidAuthorization, () => act({ id, proof: proofOf(id) }))
})

test('what is no hash is not kept, and then no session has ended', async () => {
  await assertRefused(db.owner, checkViolation, () =>
    call('set_user_password', emmy.email, 'correct horse'),
  )
  await act()
})

test('a new address takes the place of the primary one, is not verified, and is one line in the log', async () => {
  await db.owner.query('update pie_schema.user_emails set is_verified = true where user_id = $1', [
    emmy.id,
  ])
  const last = await lastLine()
  const newEmail = `noether${people}@example.com`
  assert.deepEqual(await changeEmail(emmy.email, newEmail), {
    outcome: 'changed',
    old_email: emmy.email,
  })
  assert.deepEqual(await addressesOf(emmy), [
    { email: newEmail, is_primary: true, is_verified: false },
  ])
  const detail = { by: 'operator', from: emmy.email, to: newEmail }
  assert.deepEqual(await linesSince(last), [{ event: 'email.changed', user_id: emmy.id, detail }])
  await act()
})

test('a user is found by any address of theirs, and only the primary one changes', async () => {
  const other = `other${people}@example.com`
  await db.owner.query(
    'insert into pie_schema.user_emails (user_id, email, is_verified) values ($1, $2, true)',
    [emmy.id, other],
  )
  const newEmail = `noether${people}@example.com`
  assert.equal((await changeEmail(other, newEmail)).old_email, emmy.email)
  assert.deepEqual(await addressesOf(emmy), [
    { email: newEmail, is_primary: true, is_verified: false },
    { email: other, is_primary: false, is_verified: true },
  ])
  await assertNothingChanges(db.owner, async () =>
    assert.equal((await changeEmail(newEmail, other)).outcome, 'taken'),
  )
})

test('an address that is taken, or none, changes nothing', async () => {
  await assertNothingChanges(db.owner, async () => {
    for (const taken of [db.ada.email, emmy.email]) {
      const outcome = await changeEmail(emmy.email, taken)
      assert.deepEqual(outcome, { outcome: 'taken', old_email: emmy.email })
    }
  })
  await assertRefused(db.owner, checkViolation, () => changeEmail(emmy.email, 'EMMY@example.com'))
  await assertRefused(db.owner, '23502', () => changeEmail(emmy.email, null))
})

test('of two who want one address at once, one gets it', async () => {
  const [first, second] = [await db.connectAs('owner'), await db.connectAs('owner')]
  const newEmail = `wanted${people}@example.com`
  const want = (client: typeof first, { email }: Person) =>
    client.query('select outcome from pie_private.change_user_email($1, $2)', [email, newEmail])
  await first.query('begin')
  assert.equal((await want(first, emmy)).rows[0].outcome, 'changed')
  const wanting = want(second, db.grace)
  await untilItWaits(db.owner, second, wanting)
  await first.query('commit')
  assert.equal((await wanting).rows[0].outcome, 'taken')
  assert.equal((await addressesOf(db.grace))[0]?.email, db.grace.email)
})

test('an address of nobody, or written otherwise, changes nothing', async () => {
  await assertNothingChanges(db.owner, async () => {
    for (const email of ['nobody@example.com', emmy.email.toUpperCase(), '', '%', null]) {
      assert.equal(await call('set_user_password', email, newHash), null)
      assert.deepEqual(await changeEmail(email, 'new@example.com'), {
        outcome: 'unknown',
        old_email: null,
      })
    }
  })
})

test('roles and permissions are made once, each with a line in the log', async () => {
  const last = await lastLine()
  assert.equal(await call('create_role', 'support', 'Answers letters.'), true)
  assert.equal(await call('create_permission', 'letters:answer', 'Answer letters.'), true)
  await assertNothingChanges(db.owner, async () => {
    assert.equal(await call('create_role', 'support', 'Something else.'), false)
    assert.equal(await call('create_role', 'admin', ''), false)
    assert.equal(await call('create_permission', 'letters:answer', 'Something else.'), false)
  })
  assert.deepEqual(await linesSince(last), [
    { event: 'role.created', user_id: null, detail: { role: 'support' } },
    { event: 'permission.created', user_id: null, detail: { permission: 'letters:answer' } },
  ])
  for (const name of ['', 'Support', 'a b', 'a\nb', '1st', 'x'.repeat(64)])
    await assertRefused(db.owner, checkViolation, () => call('create_role', name, ''), name)
  for (const name of ['letters', 'Letters:read', 'a:b:c', ':read', 'letters:'])
    await assertRefused(db.owner, checkViolation, () => call('create_permission', name, ''), name)
})

test('a permission is given to a role and taken from it, twice the same as once', async () => {
  const has = async () =>
    (await db.request(db.dorothy, `select pie_schema.has_permission('users:write') as has`)).rows[0]
      .has
  assert.equal(await has(), true)
  const last = await lastLine()
  await call('revoke_permission', 'users:write', 'admin')
  assert.equal(await has(), false)
  await assertNothingChanges(db.owner, () => call('revoke_permission', 'users:write', 'admin'))
  await call('grant_permission', 'users:write', 'admin')
  assert.equal(await has(), true)
  await assertNothingChanges(db.owner, () => call('grant_permission', 'users:write', 'admin'))
  const detail = { permission: 'users:write', role: 'admin' }
  assert.deepEqual(await linesSince(last), [
    { event: 'permission.revoked', user_id: null, detail },
    { event: 'permission.granted', user_id: null, detail },
  ])
})

test('a role or permission that is not there is given nothing', async () => {
  await assertRefused(db.owner, '23503', () => call('grant_permission', 'users:write', 'emperor'))
  await assertRefused(db.owner, '23503', () => call('grant_permission', 'users:crown', 'admin'))
  await assertNothingChanges(db.owner, () => call('revoke_permission', 'users:crown', 'emperor'))
})

test('none of it is for the server, or for a request', async () => {
  const auth = await db.connectAs('pie_auth')
  const calls = [
    `set_user_password('${emmy.email}', '${newHash}')`,
    `change_user_email('${emmy.email}', 'mallory@example.com')`,
    `create_role('emperor', '')`,
    `create_permission('crown:wear', '')`,
    `grant_permission('users:write', 'viewer')`,
    `revoke_permission('users:write', 'admin')`,
  ].map((text) => `select pie_private.${text}`)
  for (const sql of calls) {
    await assertRefused(db.owner, insufficientPrivilege, () => auth.query(sql), sql)
    for (const person of [null, db.ada, db.dorothy])
      await assertRefused(db.owner, insufficientPrivilege, () => db.request(person, sql), sql)
  }
})

test('nobody but the owner may execute what is for operators', async () => {
  const { rows } = await db.owner.query(
    `select proname, array_agg(grantee = proowner) as "isOwner" from pg_proc
     cross join lateral aclexplode(coalesce(proacl, acldefault('f', proowner)))
     where pronamespace = 'pie_private'::regnamespace
       and proname in ('set_user_password', 'change_user_email', 'create_role', 'create_permission',
                       'grant_permission', 'revoke_permission')
     group by proname`,
  )
  assert.equal(rows.length, 6)
  for (const { proname, isOwner } of rows) assert.deepEqual(isOwner, [true], proname)
})
