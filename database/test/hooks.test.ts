import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, before, describe, test } from 'node:test'
import type pg from 'pg'
import { openPeopledDatabase, type PeopledDatabase, someHash } from './people.ts'
import { assertNothingChanges } from './refusals.ts'

let db: PeopledDatabase
let auth: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
  await db.owner.query('create table public.profiles (user_id uuid primary key, name text)')
})
afterEach(async () => {
  await db.owner.query(`
    drop function if exists pie_hooks.after_user_created(uuid);
    drop function if exists pie_hooks.after_user_changed(uuid);
    drop function if exists pie_hooks.after_user_deleted(uuid)`)
})
after(() => db.close())

const define = (name: string, body: string) =>
  db.owner.query(`create function pie_hooks.${name}(user_id uuid) returns void
    language plpgsql as $$ begin ${body} end $$`)

async function register(failures: 'log' | 'refuse' = 'log'): Promise<string> {
  const id = randomUUID()
  await auth.query('begin')
  try {
    await auth.query("select set_config('pie.hook_failures', $1, true)", [failures])
    await auth.query("select pie_private.register_user($1, $2, 'Ada', $3, null)", [
      id,
      `${id}@example.com`,
      someHash,
    ])
    await auth.query('commit')
  } catch (error) {
    await auth.query('rollback')
    throw error
  }
  return id
}

const failuresOf = async (userId: string) =>
  (
    await db.owner.query(
      `select detail from pie_private.audit_log where event = 'hook.failed' and user_id = $1`,
      [userId],
    )
  ).rows.map(({ detail }) => detail)

const isUser = async (id: string) =>
  (await db.owner.query('select from pie_schema.users where id = $1', [id])).rowCount === 1

test('without a hook, nothing is called', async () => {
  const id = await register()
  assert.ok(await isUser(id))
  assert.deepEqual(await failuresOf(id), [])
})

test('after_user_created finds the user with address and role, in the same transaction', async () => {
  await define(
    'after_user_created',
    `insert into public.profiles (user_id, name)
     select users.id, users.name || ' ' || user_emails.email || ' ' || user_roles.role
     from pie_schema.users join pie_schema.user_emails on user_emails.user_id = users.id
     join pie_schema.user_roles on user_roles.user_id = users.id
     where users.id = after_user_created.user_id;`,
  )
  const id = await register()
  const { rows } = await db.owner.query('select name from public.profiles where user_id = $1', [id])
  assert.deepEqual(rows, [{ name: `Ada ${id}@example.com viewer` }])
})

test('it is called too for a user whom somebody makes with SQL', async () => {
  await define('after_user_created', 'insert into public.profiles values (user_id, null);')
  const id = randomUUID()
  await db.owner.query(`
    with address as (
      insert into pie_schema.user_emails (user_id, email, is_primary) values ('${id}', '${id}@example.com', true)
    )
    insert into pie_schema.users (id) values ('${id}')`)
  const { rowCount } = await db.owner.query('select from public.profiles where user_id = $1', [id])
  assert.equal(rowCount, 1)
})

const faults: Record<string, [body: string, sqlstate: string]> = {
  raises: [
    "insert into public.profiles values (user_id, null); raise exception 'no room' using errcode = 'AB123';",
    'AB123',
  ],
  'names a table that is not there': ['insert into public.nothing values (1);', '42P01'],
  'asserts something false': ['assert false;', 'P0004'],
  'runs into statement_timeout': ['perform pg_sleep(60);', '57014'],
}
for (const [fault, [body, sqlstate]] of Object.entries(faults)) {
  test(`a hook that ${fault} is undone and noted, and the user is there`, async () => {
    await define('after_user_created', body)
    const heard: (string | undefined)[] = []
    auth.on('notice', ({ code, message }) => heard.push(`${code} ${message}`))
    await auth.query("set statement_timeout = '2s'")
    const id = await register()
    await auth.query('reset statement_timeout')
    auth.removeAllListeners('notice')
    assert.ok(await isUser(id))
    const [failure] = await failuresOf(id)
    assert.equal(failure.function, 'pie_hooks.after_user_created')
    assert.equal(failure.sqlstate, sqlstate)
    assert.equal(heard.length, 1)
    assert.match(
      heard[0] ?? '',
      new RegExp(`^${sqlstate} pie_hooks.after_user_created failed with SQLSTATE ${sqlstate}`),
    )
    const { rowCount } = await db.owner.query('select from public.profiles where user_id = $1', [
      id,
    ])
    assert.equal(rowCount, 0)
  })

  test(`where hook failures refuse, one that ${fault} leaves no user`, async () => {
    await define('after_user_created', body)
    await auth.query("set statement_timeout = '2s'")
    await assertNothingChanges(db.owner, () =>
      assert.rejects(register('refuse'), { code: 'PI002', message: new RegExp(sqlstate) }),
    )
    await auth.query('reset statement_timeout')
  })
}

test('a hook waits three seconds for a lock, and no longer', async () => {
  await define('after_user_created', 'insert into public.profiles values (user_id, null);')
  const other = await db.connectAs('owner')
  await other.query('begin; lock public.profiles')
  const id = await register()
  await other.query('rollback')
  assert.deepEqual(
    (await failuresOf(id)).map(({ sqlstate }) => sqlstate),
    ['55P03'],
  )
})

test('after_user_deleted is told who is gone', async () => {
  await define(
    'after_user_deleted',
    'delete from public.profiles where profiles.user_id = after_user_deleted.user_id;',
  )
  const id = await register()
  await db.owner.query('insert into public.profiles values ($1)', [id])
  await db.owner.query('select pie_private.delete_user($1)', [`${id}@example.com`])
  const { rowCount } = await db.owner.query('select from public.profiles where user_id = $1', [id])
  assert.equal(rowCount, 0)
})

test('no role of requests may define a hook, or call one', async () => {
  await define('after_user_created', '')
  for (const role of ['pie_auth', 'cream', 'webuser', 'webadmin']) {
    const { rows } = await db.owner.query(
      "select has_schema_privilege($1, 'pie_hooks', 'create') or has_schema_privilege($1, 'pie_hooks', 'usage') as may",
      [role],
    )
    assert.deepEqual(rows, [{ may: false }], role)
  }
})

describe('after_user_changed', () => {
  const calls = async () => {
    const { rows } = await db.owner.query('delete from public.calls returning user_id, said')
    return rows.map(({ user_id, said }) => (said === null ? user_id : `${user_id} ${said}`)).sort()
  }
  const listen = (body = '') =>
    define(
      'after_user_changed',
      `insert into public.calls (user_id) values (after_user_changed.user_id); ${body}`,
    )
  before(() => db.owner.query('create table public.calls (user_id uuid, said text)'))

  const changes: Record<string, string> = {
    'a name': `update pie_schema.users set name = 'Somebody' where id = $1`,
    'no name any more': 'update pie_schema.users set name = null where id = $1',
    'being disabled': 'update pie_schema.users set disabled_at = now() where id = $1',
    'being enabled': 'update pie_schema.users set disabled_at = null where id = $1',
    'a name and being disabled at once': `update pie_schema.users set name = 'x', disabled_at = now() where id = $1`,
    'another address': `insert into pie_schema.user_emails (user_id, email) values ($1, 'more@example.com')`,
    'an address that is verified': `update pie_schema.user_emails set is_verified = true where user_id = $1 and email = 'more@example.com'`,
    'an address less': `delete from pie_schema.user_emails where user_id = $1 and email = 'more@example.com'`,
    'two roles at once': `insert into pie_schema.user_roles (user_id, role) values ($1, 'editor'), ($1, 'admin')`,
    'a role instead of another': `delete from pie_schema.user_roles where user_id = $1 and role = 'editor'`,
    'roles taken': `delete from pie_schema.user_roles where user_id = $1`,
    'a role by a command': `select pie_private.grant_role((select email from pie_schema.user_emails where user_id = $1), 'editor')`,
    'another address by a command': `select pie_private.change_user_email(email, 'x' || email) from pie_schema.user_emails where user_id = $1`,
    'enabling by a command': `select pie_private.enable_user((select email from pie_schema.user_emails where user_id = $1))`,
  }
  test('hears of each change once', async () => {
    const id = await register()
    await listen()
    for (const [what, change] of Object.entries(changes)) {
      await db.owner.query(change, [id])
      assert.deepEqual(await calls(), [id], what)
    }
  })

  test('hears it from a request too, and of each user of a statement once', async () => {
    await listen()
    await db.request(db.ada, `update pie_schema.users set name = 'Ada L.'`)
    assert.deepEqual(await calls(), [db.ada.id])
    await db.request(db.dorothy, `update pie_schema.users set name = 'all of them'`)
    const { rows } = await db.owner.query('select id from pie_schema.users')
    assert.deepEqual(await calls(), rows.map(({ id }) => id).sort())
  })

  test('sees what was changed, in the same transaction', async () => {
    const id = await register()
    await listen(
      `update public.calls set said = users.name from pie_schema.users where users.id = after_user_changed.user_id;`,
    )
    await db.owner.query('begin')
    await db.owner.query(`update pie_schema.users set name = 'Ida' where id = $1`, [id])
    await db.owner.query('rollback')
    assert.deepEqual(await calls(), [])
    await db.owner.query(`update pie_schema.users set name = 'Ida' where id = $1`, [id])
    assert.deepEqual(await calls(), [`${id} Ida`])
  })

  const noChanges: Record<string, string> = {
    'a new version': 'update pie_schema.users set version = version + 1 where id = $1',
    'the same name': 'update pie_schema.users set name = name where id = $1',
    'disabled again': `update pie_schema.users set disabled_at = disabled_at - interval '1 day' where id = $1`,
    'the same address': 'update pie_schema.user_emails set email = email where user_id = $1',
    'a role that is there': `insert into pie_schema.user_roles (user_id, role) values ($1, 'viewer') on conflict do nothing`,
    'the time of a role': 'update pie_schema.user_roles set granted_at = now() where user_id = $1',
    'an address that is taken': `select pie_private.change_user_email(email, 'ada@example.com') from pie_schema.user_emails where user_id = $1`,
    'what a role may do': `insert into pie_schema.role_permissions values ('viewer', 'roles:read')`,
    nobody: 'update pie_schema.users set name = $1::text where false',
  }
  test('hears nothing of what changes nothing', async () => {
    const id = await register()
    await db.owner.query('update pie_schema.users set disabled_at = now() where id = $1', [id])
    await listen()
    for (const [what, statement] of Object.entries(noChanges)) {
      await db.owner.query(statement, statement.includes('$1') ? [id] : [])
      assert.deepEqual(await calls(), [], what)
    }
  })

  test('is not called for who is made or deleted, with addresses and roles', async () => {
    await listen()
    const id = await register()
    await db.owner.query(
      `insert into pie_schema.user_emails (user_id, email) values ($1, 'two@example.com')`,
      [id],
    )
    assert.deepEqual(await calls(), [id])
    await db.owner.query('select pie_private.delete_user($1)', [`${id}@example.com`])
    assert.deepEqual(await calls(), [])
    await db.owner.query('begin')
    const made = randomUUID()
    const make = `select pie_private.register_user($1, $2, null, null, null)`
    await db.owner.query(make, [made, `${made}@example.com`])
    await db.owner.query(`select pie_private.grant_role($1, 'admin')`, [`${made}@example.com`])
    await db.owner.query('commit')
    assert.deepEqual(await calls(), [])
  })

  test('that changes the user itself is called once, and what it writes stays', async () => {
    const id = await register()
    await listen(`
      update pie_schema.users set name = coalesce(name, '') || '+' where id = after_user_changed.user_id;
      perform pie_private.change_user_email(email, 'moved-' || email) from pie_schema.user_emails where user_emails.user_id = after_user_changed.user_id;
      insert into pie_schema.user_roles (user_id, role) values (after_user_changed.user_id, 'editor') on conflict do nothing;`)
    await db.owner.query(`update pie_schema.users set name = 'Ida' where id = $1`, [id])
    assert.deepEqual(await calls(), [id])
    const { rows } = await db.owner.query(
      'select name, display_name from pie_schema.users join pie_schema.profiles on user_id = id where id = $1',
      [id],
    )
    assert.deepEqual(rows, [{ name: 'Ida+', display_name: 'Ida+' }])
    // And is called again for the next change.
    await db.owner.query(`update pie_schema.users set name = 'Ida' where id = $1`, [id])
    assert.deepEqual(await calls(), [id])
  })

  test('two users whose hooks change each other come to an end, also where constraints are deferred', async () => {
    const [one, other] = [await register(), await register()]
    await listen(
      `update pie_schema.users set name = coalesce(name, '') || '+' where id in ('${one}', '${other}');`,
    )
    await db.owner.query(
      `begin; set constraints all deferred; update pie_schema.users set name = 'a' where id = '${one}'; commit`,
    )
    assert.deepEqual(await calls(), [one, other].sort())
    const { rows } = await db.owner.query('select from pie_private.held_changes')
    assert.deepEqual(rows, [])
  })

  for (const [fault, [body, sqlstate]] of Object.entries(faults)) {
    test(`that ${fault} is undone and noted, and the change is there`, async () => {
      const id = await register()
      await define('after_user_changed', body)
      await db.owner.query("set statement_timeout = '2s'")
      await db.owner.query(`update pie_schema.users set name = 'Changed' where id = $1`, [id])
      await db.owner.query('reset statement_timeout')
      const { rows } = await db.owner.query('select name from pie_schema.users where id = $1', [id])
      assert.deepEqual(rows, [{ name: 'Changed' }])
      const [failure] = await failuresOf(id)
      assert.equal(failure.function, 'pie_hooks.after_user_changed')
      assert.equal(failure.sqlstate, sqlstate)
    })
  }

  test('cannot be kept from hearing by whoever is signed in', async () => {
    await listen()
    const silence = [
      `insert into pie_private.held_changes values ('${db.ada.id}')`,
      'alter table pie_schema.users disable trigger all',
      'set local session_replication_role = replica',
    ]
    for (const statement of silence)
      await assert.rejects(db.request(db.ada, statement), { code: '42501' })
    await db.request(
      db.ada,
      `set constraints all deferred; update pie_schema.users set name = 'unheard'`,
    )
    assert.deepEqual(await calls(), [db.ada.id])
  })
})
