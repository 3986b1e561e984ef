import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import {
  hashOf,
  openPeopledDatabase,
  type PeopledDatabase,
  proofOf,
  someHash,
  untilItWaits,
} from './people.ts'
import { assertNothingChanges, assertRefused, checkViolation, uniqueViolation } from './refusals.ts'

let db: PeopledDatabase
let auth: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
})
after(() => db.close())

const register = (
  client: pg.Client,
  email: string,
  {
    id = randomUUID() as string,
    hash = someHash as string | null,
    name = null as string | null,
  } = {},
) =>
  client.query(`select pie_private.register_user($1, $2, $3, $4, '192.0.2.9') as id`, [
    id,
    email,
    name,
    hash,
  ])

const start = (client: pg.Client, userId: string, columns: Record<string, unknown> = {}) => {
  const id = randomUUID()
  const given = {
    kind: 'token',
    methods: ['pwd'],
    lifetime: '1 hour',
    absolute: '30 days',
    agent: 'tests',
    ...columns,
  }
  return client.query(
    `select * from pie_private.start_session($1, $2, $3, $4, $5, $6, $7, '192.0.2.9', $8)`,
    [
      userId,
      id,
      given.kind,
      hashOf(proofOf(id)),
      given.methods,
      given.lifetime,
      given.absolute,
      given.agent,
    ],
  )
}

test('whoever registers has one primary address, a password, the role viewer and a line in the log', async () => {
  const id = randomUUID()
  const { rows } = await register(auth, 'lise@example.com', { id, name: 'Lise' })
  assert.deepEqual(rows, [{ id }])
  const made = await db.owner.query(
    `select users.name, disabled_at, email, is_verified, is_primary, hash, role, event, audit_log.address
     from pie_schema.users
     join pie_schema.user_emails on user_emails.user_id = users.id
     join pie_schema.user_roles on user_roles.user_id = users.id
     join pie_private.passwords on passwords.user_id = users.id
     join pie_private.audit_log on audit_log.user_id = users.id
     where users.id = $1`,
    [id],
  )
  assert.deepEqual(made.rows, [
    {
      name: 'Lise',
      disabled_at: null,
      email: 'lise@example.com',
      is_verified: false,
      is_primary: true,
      hash: someHash,
      role: 'viewer',
      event: 'user.registered',
      address: '192.0.2.9',
    },
  ])
})

test('a taken address returns null and changes nothing: not the password, not the name', async () => {
  await assertNothingChanges(db.owner, async () => {
    const hash = someHash.replace('c29tZWhhc2g', 'b3RoZXJoYXNo')
    const { rows } = await register(auth, db.ada.email, { hash, name: 'mallory' })
    assert.deepEqual(rows, [{ id: null }])
  })
})

test('of two who register one address at once, one gets it and the other null', async () => {
  const other = await db.connectAs('pie_auth')
  const results = await Promise.all([
    register(auth, 'race@example.com'),
    register(other, 'race@example.com'),
  ])
  const ids = results.map(({ rows }) => rows[0].id)
  assert.equal(ids.filter((id) => id !== null).length, 1)
  const { rows } = await db.owner.query(
    `select (select count(*)::int from pie_schema.user_emails where email = 'race@example.com') as addresses,
            (select count(*)::int from pie_schema.users where not exists (
               select from pie_schema.user_emails where user_id = users.id)) as homeless`,
  )
  assert.deepEqual(rows, [{ addresses: 1, homeless: 0 }])
})

test('without a password there is no row of one', async () => {
  const { rows } = await register(auth, 'keyless@example.com', { hash: null })
  const kept = await db.owner.query('select from pie_private.passwords where user_id = $1', [
    rows[0].id,
  ])
  assert.equal(kept.rowCount, 0)
})

test('an id that is taken, a bad address and a hash that is no argon2id keep nothing at all', async () => {
  await assertRefused(db.owner, uniqueViolation, () =>
    register(auth, 'new@example.com', { id: db.ada.id }),
  )
  await assertRefused(db.owner, checkViolation, () => register(auth, 'New@example.com'))
  for (const hash of ['password', '$2b$10$abc', `$argon2id$${'x'.repeat(300)}`]) {
    await assertRefused(db.owner, checkViolation, () => register(auth, 'new@example.com', { hash }))
  }
})

test('a session starts with the times asked for, never past the absolute limit, and is logged', async () => {
  const { rows } = await start(auth, db.grace.id, { lifetime: '60 days', agent: 'x'.repeat(600) })
  const [{ started_at, expires_at, absolute_expires_at, user }] = rows
  assert.equal(expires_at.getTime(), absolute_expires_at.getTime())
  assert.equal(expires_at.getTime() - started_at.getTime(), 30 * 24 * 3600 * 1000)
  assert.deepEqual(
    { id: user.id, email: user.email, roles: user.roles, permissions: user.permissions },
    { id: db.grace.id, email: db.grace.email, roles: ['viewer'], permissions: [] },
  )
  const { rows: kept } = await db.owner.query(
    `select char_length(user_agent) as agent, refresh_generation, detail
     from pie_private.sessions join pie_private.audit_log on session_id = sessions.id
     where sessions.user_id = $1 and user_agent like 'xx%'`,
    [db.grace.id],
  )
  assert.deepEqual(kept, [
    { agent: 512, refresh_generation: 0, detail: { kind: 'token', methods: ['pwd'] } },
  ])
})

test('nobody who is disabled or does not exist gets a session', async () => {
  const { rows } = await register(auth, 'gone@example.com')
  await db.owner.query('update pie_schema.users set disabled_at = now() where id = $1', [
    rows[0].id,
  ])
  await assertNothingChanges(db.owner, async () => {
    assert.deepEqual((await start(auth, rows[0].id)).rows, [])
    assert.deepEqual((await start(auth, randomUUID())).rows, [])
  })
})

test('a session that is refused by the table leaves no line in the log', async () => {
  await assertRefused(db.owner, checkViolation, () => start(auth, db.ada.id, { kind: 'cookie' }))
})

test('a session that starts while its user is being disabled is ended or does not start', async () => {
  const { rows } = await register(auth, 'raced@example.com')
  const userId = rows[0].id
  await db.owner.query('begin')
  await db.owner.query('update pie_schema.users set disabled_at = now() where id = $1', [userId])
  const starting = start(auth, userId)
  await untilItWaits(db.owner, auth, starting)
  await db.owner.query('commit')
  assert.deepEqual((await starting).rows, [])
  const { rows: live } = await db.owner.query(
    'select from pie_private.sessions where user_id = $1 and revoked_at is null',
    [userId],
  )
  assert.equal(live.length, 0)
})

test('disabling waits for a session that is just starting, and ends it', async () => {
  const { rows } = await register(auth, 'late@example.com')
  const userId = rows[0].id
  await auth.query('begin')
  assert.equal((await start(auth, userId)).rowCount, 1)
  const other = await db.connectAs('owner')
  const disabling = other.query('update pie_schema.users set disabled_at = now() where id = $1', [
    userId,
  ])
  await untilItWaits(db.owner, other, disabling)
  await auth.query('commit')
  await disabling
  const { rows: kept } = await db.owner.query(
    'select revoked_reason from pie_private.sessions where user_id = $1',
    [userId],
  )
  assert.deepEqual(kept, [{ revoked_reason: 'user_disabled' }])
})
