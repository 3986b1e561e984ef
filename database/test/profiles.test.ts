/** Profiles: what others may be shown of a user, as far as the application says. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import type pg from 'pg'
import { openPeopledDatabase, type PeopledDatabase, someHash } from './people.ts'
import { assertNothingChanges, assertRefused, insufficientPrivilege } from './refusals.ts'

let db: PeopledDatabase
let auth: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
})
after(() => db.close())

/** The name of a user, and what their profile says. */
const namesOf = async (id: string) => {
  const { rows } = await db.owner.query(
    `select users.name, profiles.display_name, profiles.user_id is not null as has_profile
     from pie_schema.users left join pie_schema.profiles on profiles.user_id = users.id where users.id = $1`,
    [id],
  )
  return rows[0]
}
const assertCalled = async (id: string, name: string | null) =>
  assert.deepEqual(await namesOf(id), { name, display_name: name, has_profile: true })

describe('the name of a profile is the user’s, whichever door it is changed through:', () => {
  const make = async (name: string | null) => {
    const id = randomUUID()
    const register = 'select pie_private.register_user($1, $2, $3, $4, null)'
    await auth.query(register, [id, `${id}@example.com`, name, someHash])
    return id
  }

  test('registration, with a name and without', async () => {
    await assertCalled(await make('Emmy'), 'Emmy')
    await assertCalled(await make(null), null)
  })

  test('a request of the user’s own, and one of an admin’s', async () => {
    await db.request(db.ada, `update pie_schema.users set name = 'Ada Lovelace'`)
    await assertCalled(db.ada.id, 'Ada Lovelace')
    await db.request(db.ada, 'update pie_schema.users set name = null')
    await assertCalled(db.ada.id, null)
    const rename = `update pie_schema.users set name = 'ada' where id = $1`
    await db.request(db.dorothy, rename, [db.ada.id])
    await assertCalled(db.ada.id, 'ada')
  })

  test('whatever the owner writes, many at once, and with triggers that only fire for replicas', async () => {
    const ids = [await make('a'), await make('b')]
    await db.owner.query(`update pie_schema.users set name = name || '!' where id = any ($1)`, [
      ids,
    ])
    for (const [index, id] of ids.entries()) await assertCalled(id, `${'ab'[index]}!`)
    await db.owner.query(`begin; set local session_replication_role = replica;
      update pie_schema.users set name = 'c' where id = '${ids[0]}';
      insert into pie_schema.users (id, name) values ('00000000-0000-4000-8000-000000000001', 'd');
      commit`)
    await assertCalled(ids[0] ?? '', 'c')
    await assertCalled('00000000-0000-4000-8000-000000000001', 'd')
  })

  test('an upsert, and one that is taken back', async () => {
    const id = await make('before')
    const upsert = `insert into pie_schema.users (id, name) values ($1, 'after')
      on conflict (id) do update set name = excluded.name`
    await db.owner.query('begin')
    await db.owner.query(upsert, [id])
    await db.owner.query('rollback')
    await assertCalled(id, 'before')
    await db.owner.query(upsert, [id])
    await assertCalled(id, 'after')
  })

  test('and no writing of the profile itself says anything else', async () => {
    await db.owner.query(
      `update pie_schema.profiles set display_name = 'Mallory' where user_id = $1`,
      [db.ada.id],
    )
    await assertCalled(db.ada.id, 'ada')
    const id = await make('once')
    // As a subscription brings the rows of a table that a trigger has made already.
    await db.owner.query(`insert into pie_schema.profiles values ($1, 'twice')`, [id])
    await assertCalled(id, 'once')
  })

  test('a change of something else leaves the profile’s row as it is', async () => {
    const where = async () =>
      (
        await db.owner.query('select ctid::text from pie_schema.profiles where user_id = $1', [
          db.ada.id,
        ])
      ).rows
    const before = await where()
    await db.owner.query('update pie_schema.users set name = name, disabled_at = null')
    assert.deepEqual(await where(), before)
  })

  test('it goes with its user', async () => {
    const id = await make('gone')
    await db.owner.query('select pie_private.delete_user($1)', [`${id}@example.com`])
    const { rowCount } = await db.owner.query(
      'select from pie_schema.profiles where user_id = $1',
      [id],
    )
    assert.equal(rowCount, 0)
  })
})

describe('who sees whose profile', () => {
  const seen = async (person: Parameters<PeopledDatabase['request']>[0]) =>
    (await db.request(person, 'select user_id from pie_schema.profiles')).rows
      .map(({ user_id }) => user_id)
      .sort()

  beforeEach(async () => {
    await db.owner.query(`
      drop schema if exists app cascade;
      create schema app;
      grant usage on schema app to webuser;
      create table app.members (team text, user_id uuid references pie_schema.profiles (user_id) on delete cascade, primary key (team, user_id));
      create table app.notes (id int primary key, owner_id uuid not null references pie_schema.profiles (user_id) on delete cascade);
      grant select on app.notes to webuser;
      create function app.my_team() returns setof uuid language plpgsql stable security definer rows 20
        set search_path = pg_catalog, pg_temp
      as $$ begin
        return query select others.user_id from app.members as mine join app.members as others on others.team = mine.team
          where mine.user_id = (select pie_schema.current_user_id());
      end $$;
      revoke execute on function app.my_team() from public;
      grant execute on function app.my_team() to webuser`)
    await db.owner.query(`insert into app.members values ('a', $1), ('a', $2), ('b', $3)`, [
      db.ada.id,
      db.grace.id,
      db.dorothy.id,
    ])
  })
  const policy = () =>
    db.owner.query(`create policy team on pie_schema.profiles for select to webuser
      using (user_id = any (array (select app.my_team())))`)

  test('is nobody but oneself, until the application says more', async () => {
    assert.deepEqual(await seen(db.ada), [db.ada.id])
    await policy()
    assert.deepEqual(await seen(db.ada), [db.ada.id, db.grace.id].sort())
    assert.deepEqual(await seen(db.grace), [db.ada.id, db.grace.id].sort())
    await db.owner.query('delete from app.members where user_id = $1', [db.grace.id])
    assert.deepEqual(await seen(db.ada), [db.ada.id])
    assert.deepEqual(await seen(db.grace), [db.grace.id])
  })

  test('nothing else of Pie’s becomes wider by it, whatever it says', async () => {
    const { rows: tables } = await db.owner.query<{ name: string }>(
      `select format('%I.%I', schemaname, relname) as name from (
         select schemaname, tablename as relname from pg_tables union all select schemaname, viewname from pg_views
       ) as named where schemaname = 'pie_schema' and relname <> 'profiles' order by 1`,
    )
    assert.ok(tables.length >= 7)
    const everything = async () => {
      const read: unknown[] = []
      for (const person of [db.ada, db.dorothy]) {
        for (const { name } of tables)
          read.push((await db.request(person, `select * from ${name}`)).rows)
        read.push((await db.request(person, 'select * from pie_schema.my_sessions()')).rowCount)
        const { id, proof } = person.session
        const sql = 'select pie_private.read_me($1, $2) as me'
        read.push((await db.request(null, sql, [id, proof])).rows)
      }
      return read
    }
    const before = await everything()
    await db.owner.query(
      'create policy all_of_them on pie_schema.profiles for select to webuser using (true)',
    )
    assert.equal((await seen(db.ada)).length > 3, true)
    assert.deepEqual(await everything(), before)
    await db.owner.query('drop policy all_of_them on pie_schema.profiles')
  })

  test('a policy shows, and lets nobody write', async () => {
    await policy()
    for (const statement of [
      `update pie_schema.profiles set display_name = 'x'`,
      'delete from pie_schema.profiles',
      'insert into pie_schema.profiles values (gen_random_uuid())',
      'select from pie_schema.profiles for update',
      'truncate pie_schema.profiles',
    ])
      for (const person of [db.ada, db.dorothy])
        await assertNothingChanges(db.owner, () =>
          assertRefused(db.owner, insufficientPrivilege, () => db.request(person, statement)),
        )
  })

  test('a policy of the application’s that fails breaks no sign-up, no change of name and none of Pie’s reads', async () => {
    await db.owner.query(`create policy broken on pie_schema.profiles for select to webuser, webadmin
      using (1 / (length(display_name) - length(display_name)) = 1)`)
    await assert.rejects(seen(db.ada), { code: '22012' })
    await db.request(db.ada, `update pie_schema.users set name = 'still ada'`)
    const id = randomUUID()
    const register = 'select pie_private.register_user($1, $2, $3, $4, null)'
    await auth.query(register, [id, `${id}@example.com`, 'new', someHash])
    const { id: session, proof } = db.ada.session
    const me = await db.request(null, 'select pie_private.read_me($1, $2) as me', [session, proof])
    assert.equal(me.rows[0].me.name, 'still ada')
    await db.owner.query('drop policy broken on pie_schema.profiles')
  })

  test('a foreign key holds for a profile that whoever asks may not see', async () => {
    await db.owner.query('insert into app.notes values (1, $1)', [db.dorothy.id])
    const { rows } = await db.request(
      db.ada,
      `select notes.id, profiles.display_name from app.notes left join pie_schema.profiles on user_id = owner_id`,
    )
    assert.deepEqual(rows, [{ id: 1, display_name: null }])
  })

  test('SQL that got in sees nobody else’s, whomever it says that it is', async () => {
    const claims = [
      `select set_config('pie.session_id', '${db.dorothy.session.id}', true)`,
      `select set_config('pie.session_proof', '00', true)`,
      'set local row_security = off',
      'set local role webadmin',
      'reset role',
    ]
    for (const claim of claims) {
      const found = await db
        .request(db.ada, `${claim}; select user_id from pie_schema.profiles`)
        .then((results) => (results as unknown as pg.QueryResult[]).flatMap(({ rows }) => rows))
        .catch(({ code }) => {
          assert.equal(code, '42501')
          return []
        })
      const others = found.filter(({ user_id }) => user_id !== undefined && user_id !== db.ada.id)
      assert.deepEqual(others, [], claim)
    }
  })
})

test('whoever migrates for the application refers to profiles when that is granted, and not before', async () => {
  await db.owner.query(
    'drop role if exists pie_test_migrator; create role pie_test_migrator; create schema theirs authorization pie_test_migrator',
  )
  const make = () =>
    db.owner.query(`begin; set local role pie_test_migrator;
      create table theirs.notes (owner_id uuid references pie_schema.profiles (user_id)); commit`)
  try {
    await assert.rejects(make(), insufficientPrivilege)
    await db.owner.query(`rollback; grant usage on schema pie_schema to pie_test_migrator;
      grant references (user_id) on pie_schema.profiles to pie_test_migrator`)
    await make()
    await db.owner.query('insert into theirs.notes values ($1)', [db.ada.id])
  } finally {
    await db.owner.query('rollback; drop owned by pie_test_migrator; drop role pie_test_migrator')
  }
})
