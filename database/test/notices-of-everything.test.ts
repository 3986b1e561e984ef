import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gone, type Hear, openEar } from './notices.ts'
import { addSession, inTransaction, openPeopledDatabase, type PeopledDatabase } from './people.ts'
import { assertRefused, invalidAuthorization } from './refusals.ts'

let db: PeopledDatabase
let hear: Hear
before(async () => {
  db = await openPeopledDatabase()
  hear = await openEar(db)
})
after(() => db.close())

const asOwner = (sql: string) => db.owner.query(sql)

test('a change of what a role is, or may do, announces everything', async () => {
  for (const change of [
    `insert into pie_schema.role_permissions (role, permission) values ('viewer', 'roles:read')`,
    `update pie_schema.role_permissions set permission = 'users:read' where role = 'viewer'`,
    `update pie_schema.permissions set name = 'people:read' where name = 'users:read'`,
    `delete from pie_schema.permissions where name = 'people:read'`,
    `delete from pie_schema.role_permissions where role = 'admin' and permission = 'users:write'`,
    `update pie_schema.roles set description = 'Writes.' where name = 'editor'`,
  ]) {
    assert.deepEqual(await hear(() => asOwner(change)), ['*'], change)
  }
})

test('a role that is renamed or deleted is a new version of each who has it, and a new session id', async () => {
  const browser = await addSession(db.owner, db.grace.id, '1 hour', 'browser')
  await asOwner(`select pie_private.grant_role('grace@example.com', 'editor')`)
  await asOwner(
    `update pie_private.sessions set expires_at = now() + interval '1 hour' where id = '${browser.id}'`,
  )
  const renamed = await hear(() =>
    asOwner(`update pie_schema.roles set name = 'author' where name = 'editor'`),
  )
  assert.ok(renamed.includes('*'))
  assert.ok(renamed.some((notice) => notice.startsWith(`user ${db.grace.id} `)))
  assert.ok(renamed.some((notice) => notice.startsWith(`session ${browser.id} `)))
  assert.equal(renamed.filter((notice) => notice.includes(db.ada.id)).length, 0)
  const deleted = await hear(() => asOwner(`delete from pie_schema.roles where name = 'author'`))
  assert.ok(deleted.includes('*'))
  assert.ok(deleted.some((notice) => notice.startsWith(`user ${db.grace.id} `)))
})

test('what nobody has yet is not announced', async () => {
  const heard = await hear(async () => {
    await asOwner(`insert into pie_schema.roles (name, description) values ('author', 'Writes.')`)
    await asOwner(
      `insert into pie_schema.permissions (name, description) values ('notes:read', 'Reads.')`,
    )
    await asOwner(
      `update pie_schema.permissions set description = 'See.' where name = 'notes:read'`,
    )
  })
  assert.deepEqual(heard, [])
})

test('emptying a table announces everything once, and nothing when it is rolled back', async () => {
  const tables = [
    'pie_private.sessions',
    'pie_schema.users cascade',
    'pie_schema.user_emails',
    'pie_schema.user_roles',
    'pie_schema.roles cascade',
    'pie_schema.permissions cascade',
    'pie_schema.role_permissions',
  ]
  const undone = await hear(async () => {
    for (const table of tables) {
      await asOwner('begin')
      await asOwner(`truncate ${table}`)
      await asOwner('rollback')
    }
  })
  assert.deepEqual(undone, [])
  const other = await openPeopledDatabase()
  try {
    const hearOther = await openEar(other)
    for (const table of tables) {
      // Of a table that is empty by now, too.
      assert.deepEqual(await hearOther(() => other.owner.query(`truncate ${table}`)), ['*'], table)
    }
  } finally {
    await other.close()
  }
})

test('a session of replication, which fires no triggers otherwise, announces like any other', async () => {
  const asReplica = (sql: string) =>
    inTransaction(db.owner, async () => {
      await asOwner('set local session_replication_role = replica')
      await asOwner(sql)
    })
  const browser = await addSession(db.owner, db.ada.id, '1 hour', 'browser')
  const { ada } = db
  const starts = (heard: string[], name: string) =>
    assert.ok(
      heard.some((notice) => notice.startsWith(name)),
      `${name}: ${heard}`,
    )
  const heard = async (sql: string) => hear(() => asReplica(sql))
  starts(await heard(`update pie_schema.users set name = 'Ada'`), `user ${ada.id} `)
  starts(await heard(`update pie_schema.user_emails set is_verified = true`), `user ${ada.id} `)
  const granted = await heard(
    `insert into pie_schema.user_roles (user_id, role) values ('${ada.id}', 'author')`,
  )
  starts(granted, `user ${ada.id} `)
  starts(granted, `session ${browser.id} `)
  const oneSession = `where id = '${ada.session.id}'`
  const revoked = await heard(
    `update pie_private.sessions set revoked_at = now(), revoked_reason = 'logout' ${oneSession}`,
  )
  assert.deepEqual(revoked, [`session ${ada.session.id} 2`])
  const removed = await heard(`delete from pie_private.sessions where id = '${browser.id}'`)
  assert.deepEqual(removed, [`session ${browser.id} ${gone}`])
  assert.deepEqual(await heard(`delete from pie_schema.role_permissions`), ['*'])
  assert.deepEqual(await heard(`update pie_schema.roles set description = 'x'`), ['*'])
  assert.deepEqual(await heard('truncate pie_private.sessions'), ['*'])
})

test('whoever is disabled by replication has no session left either', async () => {
  const session = await addSession(db.owner, db.grace.id)
  const heard = await hear(() =>
    inTransaction(db.owner, async () => {
      await asOwner('set local session_replication_role = replica')
      await db.owner.query('update pie_schema.users set disabled_at = now() where id = $1', [
        db.grace.id,
      ])
    }),
  )
  assert.ok(heard.includes(`session ${session.id} 2`), String(heard))
  await assertRefused(db.owner, invalidAuthorization, () =>
    db.request({ ...db.grace, session }, 'select 1'),
  )
})
