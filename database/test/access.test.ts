import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import { type Actor, accessOf, nothingBut } from './access.ts'
import { openPeopledDatabase, type PeopledDatabase } from './people.ts'
import { assertNothingChanges, assertRefused, insufficientPrivilege } from './refusals.ts'

let db: PeopledDatabase
let cream: pg.Client
let auth: pg.Client
let columnsOf: Map<string, string[]>
before(async () => {
  db = await openPeopledDatabase()
  cream = await db.connectAs('cream')
  auth = await db.connectAs('pie_auth')
  await db.owner.query(`select pie_private.add_first_signing_key('k', '{"kid": "k"}', '')`)
  await db.owner.query(`select pie_private.begin_password_sign_in('ada@example.com', '192.0.2.1')`)
  await db.owner.query(`select pie_private.use_csrf_token(sha256('used'), now())`)
  await db.owner.query(`insert into pie_private.held_changes values (gen_random_uuid())`)
  await db.owner.query(`select from pie_private.announce_node(gen_random_uuid(), '1', '{}')`)
  columnsOf = await readColumns(db.owner)
})
after(() => db.close())

async function readColumns(owner: pg.Client): Promise<Map<string, string[]>> {
  const { rows } = await owner.query<{ name: string; columns: string[] }>(
    `select format('%I.%I', table_schema, table_name) as name,
            array_agg(quote_ident(column_name) order by ordinal_position) as columns
     from information_schema.columns join information_schema.tables using (table_schema, table_name)
     -- Which partitions there are is a matter of the month: audit-months.test.ts looks at each.
     where table_schema in ('pie_schema', 'pie_private') and table_type = 'BASE TABLE'
       and not (select relispartition from pg_class where oid = format('%I.%I', table_schema, table_name)::regclass)
     group by 1`,
  )
  return new Map(rows.map(({ name, columns }) => [name, columns]))
}

/** How a row of each table is named here. */
const keys: Record<string, string> = {
  'pie_private.audit_log': 'id::text',
  'pie_private.held_changes': 'user_id::text',
  'pie_private.known_networks': `user_id || ' ' || network`,
  'pie_private.migrations': 'name',
  'pie_private.nodes': 'id::text',
  'pie_private.passwords': 'user_id::text',
  'pie_private.sessions': 'id::text',
  'pie_private.signing_keys': 'kid',
  'pie_private.throttles': 'key',
  'pie_private.turns': 'name',
  'pie_private.used_csrf_tokens': 'token_hash::text',
  'pie_schema.permissions': 'name',
  'pie_schema.profiles': 'user_id::text',
  'pie_schema.role_permissions': `role || ' ' || permission`,
  'pie_schema.roles': 'name',
  'pie_schema.user_emails': 'email',
  'pie_schema.user_roles': `user_id || ' ' || role`,
  'pie_schema.users': 'id::text',
}
const privateTables = Object.keys(keys).filter((table) => table.startsWith('pie_private.'))

async function assertAccess(
  client: pg.Client,
  actor: Actor,
  table: string,
  allowed: Parameters<typeof nothingBut>[1],
): Promise<void> {
  const columns = columnsOf.get(table) ?? []
  assert.ok(columns.length > 0)
  const who = typeof actor === 'string' ? actor : actor.email
  await assertNothingChanges(db.owner, async () => {
    const access = await accessOf(client, actor, table, keys[table] ?? '', columns)
    assert.deepEqual(access, nothingBut(columns, allowed), `${who} on ${table}`)
  })
}

test('these tests know every table, and each has a row to be kept from somebody', async () => {
  assert.deepEqual([...columnsOf.keys()].sort(), Object.keys(keys).sort())
  for (const table of Object.keys(keys)) {
    const { rows } = await db.owner.query(`select count(*)::int as count from ${table}`)
    assert.ok(rows[0].count > 0, table)
  }
})

test('the two login roles may do nothing with any table', async () => {
  for (const table of Object.keys(keys)) {
    await assertAccess(auth, 'nobody', table, {})
    await assertAccess(cream, 'nobody', table, {})
  }
})

test('pie_auth may become no other role', async () => {
  for (const role of ['webuser', 'webadmin', 'cream', 'postgres']) {
    await assert.rejects(auth.query(`set role ${role}`), { code: '42501' }, role)
  }
})

test('webuser and webadmin without a session see and change no row', async () => {
  for (const role of ['webuser', 'webadmin'] as const) {
    for (const table of privateTables) await assertAccess(cream, role, table, {})
    await assertAccess(cream, role, 'pie_schema.users', { select: [], update: { name: [] } })
    for (const table of ['profiles', 'user_emails', 'user_roles', 'roles', 'permissions']) {
      await assertAccess(cream, role, `pie_schema.${table}`, { select: [] })
    }
  }
})

test('nobody who is signed in, an admin neither, has anything to do with a private table', async () => {
  for (const table of privateTables) {
    for (const actor of [db.ada, db.dorothy]) await assertAccess(cream, actor, table, {})
  }
})

test('a user sees their own row among the users, and may change their name and nothing else', async () => {
  const { ada, grace } = db
  const table = 'pie_schema.users'
  await assertAccess(cream, ada, table, { select: [ada.id], update: { name: [ada.id] } })
  await assertAccess(cream, grace, table, { select: [grace.id], update: { name: [grace.id] } })
})

test('an admin sees every user, and may change names and nothing else', async () => {
  const everybody = [db.ada.id, db.grace.id, db.dorothy.id]
  await assertAccess(cream, db.dorothy, 'pie_schema.users', {
    select: everybody,
    update: { name: everybody },
  })
})

test('a user sees their own profile, an admin sees all, and neither may write one', async () => {
  const { ada, grace, dorothy } = db
  const table = 'pie_schema.profiles'
  await assertAccess(cream, ada, table, { select: [ada.id] })
  await assertAccess(cream, dorothy, table, { select: [ada.id, grace.id, dorothy.id] })
})

test('a user sees their own addresses, an admin sees all, and neither may write one', async () => {
  const { ada, grace, dorothy } = db
  const table = 'pie_schema.user_emails'
  await assertAccess(cream, ada, table, { select: [ada.email] })
  await assertAccess(cream, dorothy, table, { select: [ada.email, grace.email, dorothy.email] })
})

test('a user sees their own roles, an admin sees all, and neither may give or take one', async () => {
  const { ada, grace, dorothy } = db
  const table = 'pie_schema.user_roles'
  const all = [ada, grace, dorothy].map(({ id }) => `${id} viewer`).concat(`${dorothy.id} admin`)
  await assertAccess(cream, ada, table, { select: [`${ada.id} viewer`] })
  await assertAccess(cream, dorothy, table, { select: all })
})

test('whoever is signed in sees what roles and permissions there are, and may change none', async () => {
  const permissions = ['users:read', 'users:write', 'roles:read', 'roles:write']
  for (const actor of [db.ada, db.dorothy]) {
    await assertAccess(cream, actor, 'pie_schema.roles', { select: ['viewer', 'editor', 'admin'] })
    await assertAccess(cream, actor, 'pie_schema.permissions', { select: permissions })
    await assertAccess(cream, actor, 'pie_schema.role_permissions', {
      select: permissions.map((permission) => `admin ${permission}`),
    })
  }
})

test('what nodes cache of sessions is read by nobody but the owner', async () => {
  const read = 'select count(*)::int as count from pie_private.session_descriptions'
  assert.equal((await db.owner.query(read)).rows[0].count, 3)
  await assertRefused(db.owner, insufficientPrivilege, () => auth.query(read))
  for (const actor of [null, db.ada, db.dorothy]) {
    await assertRefused(db.owner, insufficientPrivilege, () => db.request(actor, read))
  }
})

test('what a user writes as their name is kept; the same statement leaves the other users alone', async () => {
  const before = await db.owner.query(`select name from pie_schema.users where id = $1`, [
    db.grace.id,
  ])
  const { rowCount } = await db.request(db.ada, `update pie_schema.users set name = 'Ada Lovelace'`)
  assert.equal(rowCount, 1)
  const { rows } = await db.owner.query(
    `select id, name from pie_schema.users where id in ($1, $2) order by id = $1 desc`,
    [db.ada.id, db.grace.id],
  )
  assert.deepEqual(
    rows.map(({ name }) => name),
    ['Ada Lovelace', before.rows[0].name],
  )
})

test('an admin who changes a name changes that user alone', async () => {
  const { rowCount } = await db.request(
    db.dorothy,
    `update pie_schema.users set name = 'Grace Hopper' where id = $1`,
    [db.grace.id],
  )
  assert.equal(rowCount, 1)
  const { rows } = await db.owner.query(
    `select count(*)::int as count from pie_schema.users where name = 'Grace Hopper'`,
  )
  assert.equal(rows[0].count, 1)
})
