import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertNothingChanges } from '../../database/test/refusals.ts'
import {
  canary,
  doors,
  type InjectableNotes,
  openInjectableNotes,
} from '../harness/injectable-notes.ts'

/** What SQL smuggled into examples/notes leads to: for each attack, not one row of another user. */
let notes: InjectableNotes
before(async () => {
  notes = await openInjectableNotes()
})
after(() => notes?.close())

/** What the attacker is after, tried after every attack. */
const probes = () => [
  'select * from notes.notes',
  'select * from notes.shares',
  `select notes.shared_with_me('read')`,
  'select * from pie_schema.users cross join pie_schema.user_emails',
  'select * from pie_schema.profiles',
  'select notes.shares_with_me()',
  `update pie_schema.profiles set display_name = 'stolen'`,
  'select * from pie_private.sessions',
  `select query, state from pg_stat_activity`,
  `select current_setting('pie.session_proof', true) as own`,
  `update notes.notes set title = 'stolen' where owner_id <> '${notes.ada.id}'`,
  `delete from notes.notes where owner_id <> '${notes.ada.id}'`,
  `insert into notes.notes (owner_id, title) values ('${notes.ada.id}', 'planted')`,
  `insert into notes.shares select id, '${notes.ada.id}', 'write' from notes.notes where owner_id <> '${notes.ada.id}'`,
  `insert into pie_schema.user_roles (user_id, role) values ('${notes.ada.id}', 'admin')`,
]

function assertNoSecrets(answers: unknown, attack: string): void {
  const seen = JSON.stringify(answers)
  for (const secret of notes.secrets)
    assert.ok(!seen.includes(secret), `${attack} shows ${secret}: ${seen.slice(0, 2000)}`)
}

/**
 * Each attack is the statements of one request. The query builders send what `query` sends, and are
 * tried with the searches below.
 */
async function assertInVain(...attacks: string[][]): Promise<void> {
  for (const door of ['query', 'pool']) {
    await assertNothingChanges(notes.owner, async () => {
      for (const attack of attacks) {
        // In one message, an error ends all of it: there each probe has a request of its own.
        const tries = door === 'pool' ? probes().map((probe) => [probe]) : [probes()]
        for (const probe of tries) {
          const answers = await notes.run(notes.ada, door, ...attack, ...probe)
          assertNoSecrets(answers, `${door}: ${attack.join('; ')}; ${probe.join('; ')}`)
        }
      }
      assertNoSecrets(await notes.ada.titles('/admin/notes'), 'the route after it')
    })
  }
}

describe('the holes are real', () => {
  for (const door of doors) {
    test(`an admin sees everybody through ${door}, and ada herself`, async () => {
      const all = JSON.stringify(await notes.run(notes.dorothy, door, ...probes().slice(0, 1)))
      assert.ok(all.includes(canary) && all.includes('Of ada'))
      const own = JSON.stringify(await notes.run(notes.ada, door, ...probes().slice(0, 1)))
      assert.ok(own.includes('Of ada') && !own.includes(canary))
      const found = await notes.search(
        notes.dorothy,
        door,
        `' union select id, body from notes.notes --`,
      )
      assert.ok(found.includes(`${canary} body`), found)
    })
  }

  test('behind a semicolon, another statement runs where all is one message, and nowhere else', async () => {
    for (const door of doors) {
      const found = await notes.search(notes.ada, door, `'; commit; select 'ran' || 'behind' --`)
      assert.equal(found.includes('ranbehind'), door === 'pool', `${door}: ${found}`)
      if (door !== 'pool') assert.match(found, /42601/)
    }
  })
})

test('taking another database role shows nobody else’s notes', async () => {
  await assertInVain(
    ['reset role'],
    ['set role webadmin'],
    ['set local role webadmin'],
    ['reset role', 'set local role webadmin'],
    ['set role none', 'set role webadmin'],
    ['set role postgres'],
    ['set role pie_auth'],
    [`select set_config('role', 'webadmin', true)`],
    [`select set_config('role', 'webadmin', false)`],
    [`select set_config('role', 'postgres', false)`],
    ['set session authorization postgres'],
    ['set session authorization pie_auth'],
    ['reset session authorization', 'set role webadmin'],
    [`do $$ begin execute 'set local role webadmin'; end $$`],
    [`do $$ begin set local role webadmin; perform from notes.notes; end $$`],
    ['set row_security = off', 'set role webadmin'],
    ['set session_replication_role = replica'],
  )
})

test('ending the transaction makes nobody of ada', async () => {
  await assertInVain(
    ['commit'],
    ['/**/commit'],
    ['/**/rollback', 'set role webadmin'],
    ['/**/rollback', '/**/begin', 'set role webadmin'],
    ['/**/commit and chain', 'set local role webadmin'],
    ['/**/commit', 'discard all', 'set role webadmin'],
    ['discard all'],
    ['reset all', 'set role webadmin'],
    ['/**/commit', 'reset all', 'reset role', 'set role webadmin'],
    [`do $$ begin commit; execute 'set role webadmin'; end $$`],
    ["prepare transaction 'x'"],
    ['release savepoint going_on', 'rollback to savepoint going_on'],
  )
})

test('settings that name another session prove nothing', async () => {
  const { rows } = await notes.owner.query(
    `select id, encode(proof_hash, 'hex') as hash from pie_private.sessions where user_id = $1`,
    [notes.dorothy.id],
  )
  const forge = (id: string, proof: string, isLocal = true) =>
    `select set_config('pie.session_id', '${id}', ${isLocal}) is null, set_config('pie.session_proof', ${proof}, ${isLocal}) is null`
  const own = `current_setting('pie.session_proof')`
  const hers = rows.flatMap(({ id, hash }) => [
    [forge(id, own), 'set local role webadmin'],
    [forge(id, `'${hash}'`), 'set local role webadmin'],
    [forge(id, own, false), '/**/commit', '/**/begin', 'set role webadmin'],
    [`set pie.session_id = '${id}'`, 'set role webadmin'],
    ['reset role', `select pie_private.authenticate('${id}', '\\x${hash}')`],
    ['reset role', `select pie_private.authenticate('${id}', null)`],
    ['reset role', `select pie_private.read_session('${id}', decode(${own}, 'hex'))`],
  ])
  const asks = notes.secrets.splice(0)
  // These she has written herself; what they lead to is what she may not see.
  const written = new Set(rows.flatMap(({ id, hash }) => [id, hash]))
  notes.secrets.push(...asks.filter((secret) => !written.has(secret)))
  await assertInVain(
    ...hers,
    [`set local pie.user_id = '${canary.length}'`, `set local pie.current_user_id = 'admin'`],
    [forge('', `''`), 'set local role webadmin'],
  )
  notes.secrets.splice(0, Infinity, ...asks)
})

test('what she makes, prepares or declares changes nothing for others and shows nothing', async () => {
  await assertInVain(
    ['prepare loot as select * from notes.notes', 'execute loot', 'reset role', 'execute loot'],
    ['prepare loot as select * from notes.notes', 'set role webadmin', 'execute loot'],
    [
      'declare loot cursor with hold for select * from notes.notes',
      '/**/commit',
      'fetch all from loot',
    ],
    [
      'set local role webadmin',
      'declare loot cursor for select * from notes.notes',
      'fetch all from loot',
    ],
    [
      `do $$ declare line record; begin for line in select * from notes.notes loop raise warning '%', line; end loop; end $$`,
    ],
    [
      `do $$ begin raise exception '%', (select string_agg(n::text, ',') from notes.notes as n); end $$`,
    ],
    [
      `create function pg_temp.f() returns setof notes.notes language sql security definer as 'select * from notes.notes'`,
      'select * from pg_temp.f()',
    ],
    [
      `create function notes.f() returns setof notes.notes language sql security definer as 'select * from notes.notes'`,
    ],
    [
      `create function public.shared_with_me(text) returns setof uuid language sql as 'select id from notes.notes'`,
    ],
    [
      `create or replace function notes.shared_with_me(least_access text) returns setof uuid language sql as 'select id from notes.notes'`,
    ],
    [`create function pie_hooks.after_user_deleted(uuid) returns void language sql as 'select 1'`],
    ['create schema loot'],
    ['create temp table notes (id uuid)'],
    ['create view notes.loot as select * from notes.notes'],
    ['create policy loot on notes.notes using (true)'],
    ['alter policy notes_see on notes.notes using (true)'],
    ['drop policy notes_see on notes.notes'],
    ['alter table notes.notes disable row level security'],
    ['alter table notes.notes no force row level security'],
    ['alter table notes.notes owner to webuser'],
    ['grant all on notes.notes to webuser'],
    ['reset role', 'grant webadmin to webuser'],
    ['alter default privileges grant all on tables to public'],
    ['alter default privileges for role postgres in schema notes grant all on tables to webuser'],
    [
      'create trigger loot before update on notes.notes for each row execute function notes.touch()',
    ],
    ['create rule loot as on update to notes.notes do instead nothing'],
    ['create index loot on notes.notes (title)'],
    ['create statistics notes.loot on title, body from notes.notes'],
    ['lock table notes.notes in access exclusive mode'],
    ['truncate notes.notes'],
    ['analyze notes.notes', `select * from pg_stats where schemaname = 'notes'`],
    ['listen pie_cache', `notify pie_cache, 'user x 1'`],
    ['alter role cream set role webadmin'],
    ['alter role current_user set role webadmin'],
  )
})

test('the server lends her neither files, programs, other servers nor other people’s statements', async () => {
  await assertInVain(
    [`select pg_read_file('/etc/passwd')`],
    [`select pg_ls_dir('.')`],
    [`select lo_import('/etc/passwd')`],
    ['copy notes.notes to stdout'],
    [`copy notes.notes from stdin`],
    [`copy (select 1) to program 'id'`],
    [`copy notes.notes (title) from program 'id'`],
    [`copy (select 1) to '/tmp/loot'`],
    ['create extension dblink', `select dblink('', 'select 1')`],
    ['create extension postgres_fdw'],
    [`select * from pg_stat_activity`],
    ['reset role', 'select * from pg_stat_activity'],
    ['reset role', 'select * from pg_prepared_statements'],
    ['reset role', 'select * from pg_cursors'],
    ['reset role', 'select * from pg_locks'],
    ['reset role', 'select * from pg_settings'],
    ['reset role', 'select * from pg_stat_statements'],
    ['select * from pg_authid'],
    ['select rolname, rolpassword from pg_shadow'],
    [`select * from pg_statistic where starelid = 'notes.notes'::regclass`],
    [`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'`],
  )
})

test('errors and functions that run text tell nothing that she may not read', async () => {
  await assertInVain(
    ['select title::int from notes.notes'],
    [`select 1 / (position('canary' in title) - 1) from notes.notes`],
    [`select cast(string_agg(title || body, ',') as xml) from notes.notes`],
    [`select query_to_xml('select * from notes.notes', true, false, '')`],
    [`select query_to_xml('set role webadmin', true, false, '')`],
    [`select schema_to_xml('notes', true, false, '')`, `select database_to_xml(true, false, '')`],
    [`select * from ts_stat('select to_tsvector(body) from notes.notes')`],
    [`select table_to_xml('pie_private.sessions', true, false, '')`],
    [`explain (analyze, verbose) select * from notes.notes`],
    [`explain (analyze, verbose, format json) select * from notes.notes order by title`],
    [
      'select pg_get_viewdef(c.oid), c.* from pg_class as c where relnamespace = (select oid from pg_namespace where nspname = $$notes$$)',
    ],
    [
      'insert into notes.shares (note_id, user_id, access) select id, owner_id, title from notes.notes',
    ],
    [
      `merge into notes.notes using (values (1)) as v on owner_id <> pie_schema.current_user_id() when matched then update set title = 'stolen'`,
    ],
  )
})

test('a search that is pasted together finds only what she may read, whatever is pasted', async () => {
  const texts = [
    `' or true --`,
    `' union select id, title || body from notes.notes --`,
    `' union select id, email from pie_schema.user_emails --`,
    `' union select id, encode(proof_hash, 'hex') from pie_private.sessions --`,
    `' union select user_id, password_hash from pie_private.passwords --`,
    `' union select null, query from pg_stat_activity --`,
    `' or title::int = 1 --`,
    `' union select null, set_config('role', 'webadmin', true) union select id, title from notes.notes --`,
    `'; commit; set role webadmin; select * from notes.notes --`,
    `'; rollback; begin; set role webadmin; select * from notes.notes --`,
    `'; reset role; select * from pg_stat_activity --`,
  ]
  for (const door of doors) {
    await assertNothingChanges(notes.owner, async () => {
      for (const text of texts)
        assertNoSecrets(await notes.search(notes.ada, door, text), `${door}: ${text}`)
    })
  }
})
