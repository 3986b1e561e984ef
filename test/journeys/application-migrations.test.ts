import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { fastify } from 'fastify'
import pg from 'pg'
import { pie } from '../../server/src/index.ts'
import { cloneDatabase, type TestDatabase, testSecretKey } from '../harness/cluster.ts'
import { startTestPie } from '../harness/pie.ts'
import { runPie } from '../harness/process.ts'

/** The application's own SQL, which the plugin runs. */
let database: TestDatabase
let owner: pg.Client
let directory: string
before(async () => {
  database = await cloneDatabase()
  owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
})
after(async () => {
  await owner?.end()
  await database?.drop()
})
beforeEach(async () => {
  if (directory !== undefined) rmSync(directory, { recursive: true })
  directory = mkdtempSync(join(tmpdir(), 'pie-migrations-'))
  await owner.query(
    'drop schema if exists app cascade; drop function if exists pie_hooks.after_user_created',
  )
  await owner.query(
    `delete from pie_private.migrations where name ~ '/' and name !~ '^compatible/'`,
  )
})
after(() => rmSync(directory, { recursive: true }))

const write = (name: string, sql: string) => writeFileSync(join(directory, name), sql)

/** Starts the application, and stops it again. */
async function start(options: { application?: string } = {}): Promise<void> {
  const app = fastify()
  const settings = { DATABASE_URL: database.url, SECRET_KEY: testSecretKey, LOG_LEVEL: 'silent' }
  try {
    await app.register(pie, { settings, migrations: pathToFileURL(`${directory}/`), ...options })
  } finally {
    await app.close()
  }
}

const lines = async () =>
  (await owner.query('select line from app.lines order by line')).rows.map(({ line }) => line)
const recorded = async () =>
  (
    await owner.query(
      `select name from pie_private.migrations where name like 'application/%' order by name`,
    )
  ).rows.map(({ name }) => name)

test('the files run in order, each once, and a later one by itself', async () => {
  write('0002-lines.sql', `insert into app.lines values ('second')`)
  write('0001-app.sql', `create schema app; create table app.lines (line text)`)
  await start()
  await start()
  assert.deepEqual(await lines(), ['second'])
  write('0003-more_lines2.sql', `insert into app.lines values ('third')`)
  await start()
  assert.deepEqual(await lines(), ['second', 'third'])
  assert.equal((await recorded()).length, 3)
})

test('what one sets for itself does not reach the next, nor Pie', async () => {
  write('0001-app.sql', `create schema app; create table app.lines (line text)`)
  write('0002-sets.sql', `set search_path = app; set role webuser; reset role; set role webuser;`)
  // The record is made by the owner: a file that gives its role away must take it back.
  await assert.rejects(start(), /0002-sets\.sql failed, and nothing of it was kept/)
  write('0002-sets.sql', `set search_path = app; insert into lines values ('found')`)
  write('0003-unset.sql', `insert into lines values ('found too')`)
  await assert.rejects(start(), /0003-unset\.sql failed.*relation "lines" does not exist/)
  assert.deepEqual(await lines(), ['found'])
})

test('one that fails keeps nothing, stops the start, says which, and runs again when it is mended', async () => {
  write('0001-app.sql', `create schema app; create table app.lines (line text)`)
  write('0002-half.sql', `insert into app.lines values ('half'); select 1 / 0`)
  await assert.rejects(start(), /application\/0002-half\.sql failed.*division by zero/)
  assert.deepEqual(await lines(), [])
  assert.deepEqual(await recorded(), ['application/0001-app.sql'])
  write('0002-half.sql', `insert into app.lines values ('whole')`)
  await start()
  assert.deepEqual(await lines(), ['whole'])
})

test('one that has run and was changed, or is gone, stops the start', async () => {
  write('0001-app.sql', `create schema app; create table app.lines (line text)`)
  await start()
  write('0001-app.sql', `create schema other`)
  await assert.rejects(start(), /application\/0001-app\.sql is not the one/)
  rmSync(join(directory, '0001-app.sql'))
  write('0002-lines.sql', `insert into app.lines values ('second')`)
  await assert.rejects(start(), /this version of the application does not know/)
  assert.deepEqual(await lines(), [])
})

test('a directory without migrations, and a file without a number, are mistakes that it names', async () => {
  await assert.rejects(start(), /There are no migrations in /)
  write('first.sql', 'create schema app')
  await assert.rejects(start(), /first\.sql has to be called something like 0001-notes\.sql/)
  const { rows } = await owner.query(`select to_regnamespace('app') as there`)
  assert.equal(rows[0].there, null)
})

test('nodes that start at once run each file once', async () => {
  write('0001-app.sql', `create schema app; create table app.lines as select 'once' as line`)
  await Promise.all([start(), start(), start()])
  assert.deepEqual(await lines(), ['once'])
})

test('a Pie without the application, on the same database, starts and knows nothing of them', async () => {
  write('0001-app.sql', `create schema app; create table app.lines as select 'once' as line`)
  await start()
  const alone = await startTestPie({ databaseUrl: database.url })
  assert.equal((await alone.request('/health/ready')).status, 200)
  await alone.close()
})

test('an error says in which file and line, and what is there, whether or not Postgres says where', async () => {
  write(
    '0001-app.sql',
    `create schema app;\n\n-- a comment; with a semicolon\ncreate tabel app.lines (line text);`,
  )
  await assert.rejects(
    start(),
    /0001-app\.sql failed.*syntax error at or near "tabel"[\s\S]*0001-app\.sql:4\n +create tabel app\.lines/,
  )
  write(
    '0001-app.sql',
    `create schema app;
create function app.one() returns int language sql begin atomic select case when true then 1 end; end;
do $$ begin perform 1; end $$;
/* two /* nested */ ; */
select
  1 / 0;`,
  )
  await assert.rejects(start(), /division by zero[\s\S]*0001-app\.sql:5\n +select/)
  write('0001-app.sql', `create schema app;\nselect '😀', 'it''s', e'\\';', nothing;`)
  await assert.rejects(start(), /column "nothing" does not exist[\s\S]*0001-app\.sql:2\n/)
})

test('two applications on one database have names of their own, and files of the same name', async () => {
  write('0001-app.sql', `create schema app; create table app.lines (line text)`)
  await start({ application: 'notes' })
  write('0001-app.sql', `insert into app.lines values ('of the shop')`)
  await start({ application: '@acme/shop' })
  assert.deepEqual(await lines(), ['of the shop'])
  await assert.rejects(start({ application: 'notes' }), /notes\/0001-app\.sql is not the one/)
  await start({ application: '@acme/shop' })
  for (const application of ['compatible', '.', 'a/b', '', '../x'])
    await assert.rejects(start({ application }), /An application cannot be called/)
})

test('is called as its package.json says; and what ran before under another name has run', async () => {
  write('0001-app.sql', `create schema app; create table app.lines (line text)`)
  await start()
  assert.deepEqual(await recorded(), ['application/0001-app.sql'])
  writeFileSync(join(directory, 'package.json'), '{ "name": "notes" }')
  write('0002-lines.sql', `insert into app.lines values ('second')`)
  await start()
  await start()
  assert.deepEqual(await lines(), ['second'])
  assert.deepEqual(await recorded(), ['application/0001-app.sql'])
})

describe('pie migrate --redo', () => {
  const redo = (...args: string[]) =>
    runPie(['migrate', '--redo', ...args], {
      DATABASE_URL: database.url,
      SECRET_KEY: testSecretKey,
    })
  const everything = `
    create schema app;
    create type app.mood as enum ('glad');
    create table app.lines (id int generated always as identity primary key, line text);
    alter table app.lines enable row level security;
    create view app.shown as select line from app.lines;
    create function app.one() returns int language sql as 'select 1';
    create policy lines_all on app.lines using (true);
    create function pie_hooks.after_user_created(user_id uuid) returns void language plpgsql as 'begin end';
    create function app.touch() returns trigger language plpgsql as 'begin return new; end';
    create trigger lines_touch before update on app.lines for each row execute function app.touch();`
  const isThere = async () =>
    (
      await owner.query(
        `select to_regclass('app.lines') is not null or to_regprocedure('pie_hooks.after_user_created(uuid)') is not null as there`,
      )
    ).rows[0].there

  test('drops what the migrations have made, and they run again, changed', async () => {
    write('0001-app.sql', everything)
    await start({ application: 'notes' })
    write('0001-app.sql', `${everything} insert into app.lines (line) values ('again');`)
    await assert.rejects(start({ application: 'notes' }), /pie migrate --redo notes/)
    const redone = await redo()
    assert.equal(redone.code, 0, redone.stderr)
    assert.equal(await isThere(), false)
    await start({ application: 'notes' })
    assert.deepEqual(await lines(), ['again'])
  })

  test('refuses where rows would be lost, also those that a policy hides from the owner, unless it is told to', async () => {
    write(
      '0001-app.sql',
      `${everything} drop policy lines_all on app.lines; insert into app.lines (line) values ('mine'); alter table app.lines force row level security;`,
    )
    await start({ application: 'notes' })
    const refused = await redo('notes')
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /There are rows in app\.lines, which would be lost\. Nothing was changed/,
    )
    assert.equal(await isThere(), true)
    const production = await runPie(['migrate', '--redo', 'notes', '--yes'], {
      DATABASE_URL: database.url,
      SECRET_KEY: testSecretKey,
      SERVICE_DOMAIN: 'https://auth.example.com',
    })
    assert.match(production.stderr, /nothing is dropped in production/)
    assert.equal(await isThere(), true)
    assert.equal((await redo('notes', '--yes')).code, 0)
    assert.equal(await isThere(), false)
  })

  test('drops nothing that the migrations have not made, and says what is in the way', async () => {
    write('0001-app.sql', everything)
    await start({ application: 'notes' })
    await owner.query(
      `create table app.precious (mood app.mood); insert into app.precious values ('glad')`,
    )
    const refused = await redo('notes', '--yes')
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /in use by what they have not[\s\S]*precious/)
    assert.equal((await owner.query('select from app.precious')).rowCount, 1)
    assert.equal(await isThere(), true)
    await owner.query('drop table app.precious')
    assert.equal((await redo('notes', '--yes')).code, 0)
  })

  test('of an application that is not there, or one of several without a name, says which there are', async () => {
    assert.match(
      (await redo('shop')).stderr,
      /No migrations of shop have run here\. There are those of: nobody/,
    )
    write('0001-app.sql', 'create schema app')
    await start({ application: 'notes' })
    write('0001-app.sql', 'create schema other; drop schema other')
    await start({ application: 'shop' })
    for (const name of ['.', 'compatible'])
      assert.match((await redo(name, '--yes')).stderr, /Pie’s own migrations are not redone/)
    assert.match((await redo()).stderr, /Which one\? There are those of: notes, shop/)
  })
})

test('pie migrate --application runs them too, for nodes that have not got the owner’s address', async () => {
  write('0001-app.sql', `create schema app; create table app.lines (line text)`)
  const settings = { DATABASE_URL: database.url, SECRET_KEY: testSecretKey }
  const migrated = await runPie(
    ['migrate', '--application', directory, '--name', 'notes'],
    settings,
  )
  assert.equal(migrated.code, 0, migrated.stderr)
  assert.match(migrated.stdout, /notes\/0001-app\.sql/)
  const url = (role: string) => {
    const address = new URL(database.url)
    address.username = role
    address.password = ''
    return address.href
  }
  const app = fastify()
  const logins = { AUTH_DATABASE_URL: url('pie_auth'), REQUEST_DATABASE_URL: url('cream') }
  const options = {
    settings: { ...logins, SECRET_KEY: testSecretKey, LOG_LEVEL: 'silent' },
    application: 'notes',
    migrations: pathToFileURL(`${directory}/`),
  }
  await app.register(pie, options)
  await app.close()
  write('0002-more.sql', `insert into app.lines values ('second')`)
  const late = fastify()
  await assert.rejects(
    async () => late.register(pie, options),
    /has not had notes\/0002-more\.sql.*pie migrate --application/,
  )
  await late.close().catch(() => {})
  assert.deepEqual(await lines(), [])
})

test('one that would end its own transaction is not run at all', async () => {
  for (const statement of ['commit', 'BEGIN', 'rollback', 'end', 'start transaction', 'abort']) {
    write('0001-app.sql', `create schema app;\n${statement};\nselect 1 / 0;`)
    await assert.rejects(start(), /may not begin or end one\. Nothing was run\.\n.*0001-app\.sql:2/)
  }
  write(
    '0001-app.sql',
    `create schema app; create table app.lines (line text); savepoint a; rollback to a; create function app.one() returns int language sql begin atomic select 1; end;`,
  )
  await start()
  assert.deepEqual(await lines(), [])
})
