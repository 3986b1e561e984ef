import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import {
  authenticate,
  openPeopledDatabase,
  type PeopledDatabase,
  someHash,
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

test('no catalog, view of statistics or setting shows ada anything of a session that grace has open', async () => {
  const grace = await db.connectAs('cream')
  await grace.query('begin')
  await grace.query({
    name: 'authenticate',
    text: 'select pie_private.authenticate($1, $2)',
    values: [db.grace.session.id, db.grace.session.proof],
  })
  await grace.query(`declare her_cursor cursor for select * from pie_schema.user_emails`)
  await db.owner.query('analyze')

  const { rows: relations } = await db.owner.query<{ name: string }>(
    `select format('%I.%I', nspname, relname) as name
     from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where nspname in ('pg_catalog', 'information_schema') and relkind in ('r', 'v') order by 1`,
  )
  assert.ok(relations.length > 150)
  const { rows: kept } = await db.owner.query(
    'select proof_hash from pie_private.sessions where id = $1',
    [db.grace.session.id],
  )
  const secrets = [
    db.grace.session.proof.toString('hex'),
    db.grace.session.id,
    db.grace.email,
    db.grace.id,
    kept[0].proof_hash.toString('hex'),
    someHash,
    'SCRAM-SHA-256$',
  ]
  const ada = await db.connectAs('cream')
  let read = 0
  for (const isReset of [false, true]) {
    await ada.query('begin')
    await authenticate(ada, db.ada.session)
    if (isReset) await ada.query('reset role')
    for (const { name } of relations) {
      await ada.query('savepoint reading')
      try {
        const { rows } = await ada.query(`select t::text as line from ${name} as t`)
        read += 1
        const seen = rows.map(({ line }) => line).join('\n')
        for (const secret of secrets) assert.ok(!seen.includes(secret), `${name} shows ${secret}`)
      } catch (error) {
        if (!(error instanceof pg.DatabaseError)) throw error
        await ada.query('rollback to reading')
      }
    }
    await ada.query('rollback')
  }
  assert.ok(read > 250, `${read} were read`)
  await grace.query('rollback')
})

test('the same catalogs show the owner what they keep from ada, so the test above could see it', async () => {
  const { rows } = await db.owner.query(
    `select most_common_vals::text || histogram_bounds::text as seen from pg_stats
     where schemaname = 'pie_schema' and tablename = 'user_emails' and attname = 'email'
     union all select rolpassword from pg_authid where rolname = 'cream'
     union all select histogram_bounds::text from pg_stats where tablename = 'user_emails' and attname = 'email'`,
  )
  const seen = JSON.stringify(rows)
  assert.ok(seen.includes(db.grace.email) && seen.includes('SCRAM-SHA-256$'), seen)
})

test('the server of the database lends ada neither files, programs, other servers nor its settings', async () => {
  const attempts = [
    `select pg_read_file('/etc/passwd')`,
    `select pg_read_binary_file('PG_VERSION')`,
    `select pg_ls_dir('.')`,
    `select pg_stat_file('PG_VERSION')`,
    `select pg_ls_logdir()`,
    `select lo_import('/etc/passwd')`,
    `select lo_export(1, '/tmp/loot')`,
    `copy public.nothing from '/etc/passwd'`,
    `copy (select 1) to '/tmp/loot'`,
    `copy (select 1) to program 'id'`,
    `copy pie_private.sessions to stdout`,
    `copy pie_private.passwords to stdout`,
    'create extension dblink',
    'create extension postgres_fdw',
    'create extension file_fdw',
    'create extension plperlu',
    'create foreign data wrapper w',
    `create subscription s connection 'host=127.0.0.1' publication p with (connect = false)`,
    'create event trigger e on ddl_command_end execute function pie_private.touch_user()',
    `select pg_create_physical_replication_slot('s')`,
    `set log_statement = 'all'`,
    'select pg_reload_conf()',
    'alter database postgres set search_path = x',
    'create schema mine',
    'create table public.mine (a int)',
    'create function public.mine() returns int language sql return 1',
    `select * from pg_hba_file_rules`,
    'select rolpassword from pg_authid',
    `select query_to_xml('select * from pie_private.sessions', true, false, '')`,
    `select * from ts_stat('select proof_hash::text::tsvector from pie_private.sessions')`,
    `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'`,
  ]
  for (const attempt of attempts) {
    // A parameter that only a superuser sets, and what is not there, are refusals as well.
    const refusals = ['42501', '42P01', '0A000', '42704', '55000']
    await assertRefused(db.owner, refusals, () => db.request(db.ada, attempt), attempt)
    await assertRefused(
      db.owner,
      refusals,
      () => db.request(db.ada, `reset role; ${attempt}`),
      attempt,
    )
  }
})

test('what is done outside a transaction is not lent to her either', async () => {
  const client = await db.connectAs('cream')
  for (const attempt of [
    `alter system set log_statement = 'all'`,
    'create database mine',
    `drop database ${new URL(db.url).pathname.slice(1)}`,
    `create tablespace mine location '/tmp'`,
    'reindex table pie_schema.users',
    'cluster pie_schema.users using users_pkey',
  ]) {
    await assertRefused(db.owner, insufficientPrivilege, () => client.query(attempt), attempt)
  }
})

test('functions that run SQL from text run it as ada', async () => {
  await assertNothingChanges(db.owner, async () => {
    const { rows } = await db.request(
      db.ada,
      `select query_to_xml('select * from pie_schema.users', true, false, '')::text
         || schema_to_xml('pie_schema', true, false, '')::text as seen`,
    )
    const [{ seen }] = rows
    assert.ok(seen.includes(db.ada.id))
    assert.ok(!seen.includes(db.grace.id) && !seen.includes(db.grace.email))
  })
})
