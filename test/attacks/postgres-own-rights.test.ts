import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  addPerson,
  authenticate,
  openPeopledDatabase,
  type PeopledDatabase,
} from '../../database/test/people.ts'
import {
  assertNothingChanges,
  assertRefused,
  insufficientPrivilege,
} from '../../database/test/refusals.ts'

let db: PeopledDatabase
before(async () => {
  db = await openPeopledDatabase()
})
after(() => db.close())

test('nobody who is signed in verifies an address, disables a user, gives a role or sets a version', async () => {
  const { ada, grace, dorothy } = db
  const writes = [
    'update pie_schema.user_emails set is_verified = true',
    `update pie_schema.user_emails set email = 'mallory@example.com'`,
    'update pie_schema.user_emails set is_primary = true',
    'update pie_schema.users set disabled_at = null',
    `update pie_schema.users set disabled_at = now() where id = '${grace.id}'`,
    'update pie_schema.users set version = 0',
    `update pie_schema.users set id = gen_random_uuid()`,
    `update pie_schema.users set name = 'x', version = 9`,
    `update pie_schema.users set (name, created_at) = row ('x', now())`,
    `insert into pie_schema.user_roles (user_id, role) values ('${ada.id}', 'admin')`,
    `update pie_schema.user_roles set role = 'admin'`,
    `delete from pie_schema.user_roles`,
    `insert into pie_schema.role_permissions (role, permission) values ('viewer', 'users:read')`,
    `insert into pie_schema.roles (name, description) values ('emperor', '')`,
    `insert into pie_schema.users (id, name) values (gen_random_uuid(), 'x')`,
    `insert into pie_schema.user_emails (user_id, email) values ('${ada.id}', 'x@example.com')`,
    `insert into pie_schema.users (id, name) values ('${ada.id}', 'x')
       on conflict (id) do update set name = excluded.name`,
    `delete from pie_schema.users where id = '${ada.id}'`,
    `merge into pie_schema.user_roles using (values (1)) as v on false
       when not matched then insert (user_id, role) values ('${ada.id}', 'admin')`,
  ]
  for (const write of writes) {
    for (const person of [ada, dorothy]) {
      await assertRefused(db.owner, insufficientPrivilege, () => db.request(person, write), write)
    }
  }
})

test("a user who writes another's row writes nothing", async () => {
  await assertNothingChanges(db.owner, async () => {
    const { rowCount } = await db.request(
      db.ada,
      `update pie_schema.users set name = 'mallory' where id <> $1`,
      [db.ada.id],
    )
    assert.equal(rowCount, 0)
  })
})

test('an admin whose role is taken sees and changes nobody from the next statement on', async () => {
  const lise = await addPerson(db.owner, 'lise')
  await db.owner.query(`select pie_private.grant_role('lise@example.com', 'admin')`)
  const client = await db.connectAs('cream')
  await client.query('begin')
  await authenticate(client, lise.session)
  assert.equal((await client.query('select from pie_schema.users')).rowCount, 4)
  await db.owner.query(`select pie_private.revoke_role('lise@example.com', 'admin')`)
  await assertNothingChanges(db.owner, async () => {
    const { rows } = await client.query('select current_user::text as role')
    assert.equal(rows[0].role, 'webadmin')
    for (const table of ['users', 'user_emails', 'user_roles']) {
      const seen = await client.query(`select t::text as line from pie_schema.${table} as t`)
      for (const { line } of seen.rows) assert.ok(line.includes(lise.id), line)
    }
    const { rowCount } = await client.query(
      `update pie_schema.users set name = 'mallory' where id = $1`,
      [db.grace.id],
    )
    assert.equal(rowCount, 0)
    await client.query('commit')
  })
  const { rows } = await db.request(lise, 'select current_user::text as role')
  assert.equal(rows[0].role, 'webuser')
})

test('a user who becomes an admin is one from their next request on', async () => {
  const emmy = await addPerson(db.owner, 'emmy')
  const count = async () => (await db.request(emmy, 'select from pie_schema.users')).rowCount
  assert.equal(await count(), 1)
  await db.owner.query(`select pie_private.grant_role('emmy@example.com', 'admin')`)
  assert.ok(((await count()) ?? 0) > 3)
})

test("webadmin without an admin's session, or with one that has ended, sees no row", async () => {
  const client = await db.connectAs('cream')
  const hedy = await addPerson(db.owner, 'hedy')
  await db.owner.query(`select pie_private.grant_role('hedy@example.com', 'admin')`)
  await client.query('begin')
  await authenticate(client, hedy.session)
  await db.owner.query('update pie_schema.users set disabled_at = now() where id = $1', [hedy.id])
  for (const table of ['users', 'user_emails', 'user_roles', 'roles', 'permissions']) {
    assert.equal((await client.query(`select from pie_schema.${table}`)).rowCount, 0, table)
  }
  await client.query('commit')
  await client.query('begin')
  await authenticate(client, db.ada.session)
  await client.query('reset role')
  await client.query('set local role webadmin')
  const { rows } = await client.query('select id from pie_schema.users')
  assert.deepEqual(
    rows.filter(({ id }) => id !== db.ada.id),
    [],
  )
  await client.query('rollback')
})
