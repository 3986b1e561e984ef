import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { User } from '../../examples/notes/test/open-notes.ts'
import { canary, type InjectableNotes, openInjectableNotes } from '../harness/injectable-notes.ts'

/**
 * What examples/notes does right is done wrong beside it, each in one thing: the attack that leads nowhere in
 * the one leads somewhere in the other.
 */
let notes: InjectableNotes
before(async () => {
  notes = await openInjectableNotes({ settings: { DATABASE_CONNECTIONS: '1' } })
  // After the start, which refuses it.
  const { rows } = await notes.owner.query('select current_database() as name')
  await notes.owner.query(`grant temporary on database ${rows[0].name} to public`)
})
after(() => notes?.close())
beforeEach(async () => {
  await notes.owner.query('drop schema if exists bad cascade; create schema bad')
  await notes.owner.query('grant usage on schema bad to webuser')
})

const seenBy = async (user: User, ...statements: string[]) =>
  JSON.stringify(await notes.run(user, 'query', ...statements))
/** Whether ada comes to see what is grace's. */
const leaks = async (...statements: string[]) =>
  (await seenBy(notes.ada, ...statements)).includes(canary)
/** The SQLSTATE that a statement of ada's ends in, or how many rows it wrote. */
const outcome = async (statement: string): Promise<string> => {
  const seen = await seenBy(notes.ada, `${statement}`)
  return /"code":"(\w+)"/.exec(seen)?.[1] ?? 'done'
}

describe('a cached plan under two roles (CVE-2024-10976)', () => {
  const readers = {
    'a table': 'select title from notes.notes',
    'a table below a common table expression': `with n as materialized (select * from notes.notes) select title from n`,
    'a table in a subquery': 'select (select array_agg(title) from notes.notes) as titles',
    'a view': 'select title from bad.view_of_invoker',
    'a function in plpgsql': 'select * from bad.titles()',
    'a function in sql': 'select * from bad.titles_in_sql()',
  }
  for (const [what, text] of Object.entries(readers)) {
    test(`of ${what} is never run with the policies of somebody else`, async () => {
      await notes.owner.query(`
        create view bad.view_of_invoker with (security_invoker = true) as select title from notes.notes;
        create function bad.titles() returns setof text language plpgsql stable as
          $$ begin return query select title from notes.notes; end $$;
        create function bad.titles_in_sql() returns setof text language sql stable
          begin atomic; select title from notes.notes; end;
        grant select on bad.view_of_invoker to webuser`)
      for (let round = 0; round < 8; round += 1) {
        for (const user of [notes.dorothy, notes.ada, notes.grace]) {
          // The first of a transaction goes without its name.
          const seen = JSON.stringify(await notes.run(user, 'named', 'select 1', text))
          assert.equal(seen.includes('Of ada'), user !== notes.grace, seen)
          assert.equal(seen.includes(canary), user !== notes.ada, seen)
        }
      }
    })
  }
})

test('a view shows what its caller may see; without security_invoker, what its owner may', async () => {
  await notes.owner.query(`
    create view bad.good with (security_invoker = true) as select * from notes.notes;
    create view bad.bad as select * from notes.notes;
    grant select on bad.good, bad.bad to webuser`)
  assert.equal(await leaks('select * from bad.good'), false)
  assert.equal(await leaks('select * from bad.bad'), true)
})

test('a function of an owner who is no superuser sees what policies show the owner; where they are not forced, all', async () => {
  const owner = `note_owner_${process.pid}`
  await notes.owner.query(`
    create role ${owner}; grant usage, create on schema bad to ${owner};
    create table bad.notes as select * from notes.notes;
    alter table bad.notes owner to ${owner};
    alter table bad.notes enable row level security;
    create function bad.titles() returns setof text language sql stable security definer
      set search_path = pg_catalog, pg_temp as 'select title from bad.notes';
    alter function bad.titles() owner to ${owner}`)
  try {
    assert.equal(await leaks('select * from bad.titles()'), true)
    await notes.owner.query('alter table bad.notes force row level security')
    assert.equal(await leaks('select * from bad.titles()'), false)
  } finally {
    await notes.owner.query(`drop schema bad cascade; drop role ${owner}`)
  }
})

test('a security definer function finds its own tables; without a search_path, those that its caller has made', async () => {
  const { rows } = await notes.owner.query('select id from notes.notes where title like $1', [
    `${canary}%`,
  ])
  const ids = rows.map(({ id }) => `'${id}'`)
  const plant = [
    `create temp table shares as select id as note_id, '${notes.ada.id}'::uuid as user_id, 'write' as access from unnest(array[${ids}]::uuid[]) as id`,
    'grant select on pg_temp.shares to public',
    `select set_config('search_path', 'pg_temp, notes', true)`,
    'select title, body from notes.notes',
  ]
  assert.equal(await leaks(...plant), false)
  const { rows: functions } = await notes.owner.query(
    `select pg_get_functiondef('notes.shared_with_me(text)'::regprocedure) as good`,
  )
  const [{ good }] = functions
  const careless = good.replace('notes.shares', 'shares').replace(/SET search_path TO .*/, '')
  await notes.owner.query(`set check_function_bodies = off; ${careless}`)
  assert.equal(await leaks(...plant), true)
  await notes.owner.query(good)
  assert.equal(await leaks(...plant), false)
})

test('keys tell nothing of what is hidden: neither of notes, of shares, nor of whose they are', async () => {
  const lise = await notes.signUp('lise')
  const shared = await notes.grace.write(canary, { shares: [{ user_id: lise.id, access: 'read' }] })
  const insert = (note: string, user: string) =>
    `insert into notes.shares (note_id, user_id, access) values ('${note}', '${user}', 'read')`
  const outcomes = new Set([
    await outcome(insert(shared, lise.id)),
    await outcome(insert(shared, notes.ada.id)),
    await outcome(insert(shared, crypto.randomUUID())),
    await outcome(insert(crypto.randomUUID(), lise.id)),
    await outcome(`${insert(shared, lise.id)} on conflict do nothing`),
    await outcome(
      `${insert(shared, lise.id)} on conflict (note_id, user_id) do update set access = 'write'`,
    ),
  ])
  assert.deepEqual([...outcomes], ['42501'])
  // An id that she may choose would be one to ask for.
  assert.equal(
    await outcome(`insert into notes.notes (id, title) values ('${shared}', 'x')`),
    '42501',
  )
})

test('a title that is unique among everybody tells ada which there are; that of examples/notes does not', async () => {
  const insert = (table: string, title: string) =>
    `insert into ${table} (title) values ('${title}')`
  await notes.owner.query(`
    create table bad.notes (owner_id uuid default pie_schema.current_user_id(), title text unique);
    alter table bad.notes enable row level security;
    create policy own on bad.notes to webuser using (owner_id = (select pie_schema.current_user_id()));
    grant select on bad.notes to webuser;
    grant insert (title) on bad.notes to webuser;
    insert into bad.notes (owner_id, title) select owner_id, title from notes.notes where title = '${canary} title' limit 1`)
  assert.equal(await outcome(insert('bad.notes', `${canary} title`)), '23505')
  assert.equal(await outcome(insert('bad.notes', 'nobody has it')), 'done')
  // Not even there does the error say whose it is, or what is in it.
  const told = await seenBy(notes.ada, insert('bad.notes', `${canary} title`))
  assert.doesNotMatch(told, /"detail"/)
  assert.equal(await outcome(insert('notes.notes', `${canary} title`)), 'done')
  assert.equal(await outcome(insert('notes.notes', 'nobody has it')), 'done')
})
