import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, before, test } from 'node:test'
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
