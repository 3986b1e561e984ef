/**
 * Lint on databases that have never heard of Pie: what it takes Supabase and PostgREST for, and what it then finds, as a
 * role that owns nothing and is no superuser. On Postgres 15, the oldest that there is.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { noNames } from '../../advisor/src/names.ts'
import { type PresetChoice, takeNames } from '../../advisor/src/presets/take-names.ts'
import { runAdvisor } from '../harness/advisor.ts'
import { type SupabaseLike, startSupabaseLike } from '../harness/supabase-like.ts'

const binaries = `postgres-15-${process.platform}-${process.arch}`

let supabase: SupabaseLike
let superuser: pg.Client
before(async () => {
  supabase = await startSupabaseLike(binaries)
  superuser = await connect(supabase.superuserUrl)
  await superuser.query(`
    create role passer_by login password 'passer';
    create role reader login password 'passer';
    grant pg_read_all_data to reader`)
})
after(async () => {
  await superuser.end()
  await supabase.server.stop()
})

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}

/** As somebody who logs in and may do nothing. */
function urlOf(role: string, database = 'postgres'): string {
  const url = new URL(supabase.superuserUrl)
  url.username = role
  url.password = 'passer'
  url.pathname = `/${database}`
  return url.href
}

/** A database of its own on the same server. */
async function onDatabase(name: string, sql: string, work: (owner: pg.Client) => Promise<void>) {
  await superuser.query(`create database ${name}`)
  const url = new URL(supabase.superuserUrl)
  url.pathname = `/${name}`
  const owner = await connect(url.href)
  try {
    await owner.query(sql)
    await work(owner)
  } finally {
    await owner.end()
    await superuser.query(`drop database ${name}`)
  }
}

interface Shown {
  presets: string[]
  schemas: string[]
  findings: { rule: string; object: string; weight: string }[]
}

async function lint(url: string, ...args: string[]): Promise<Shown & { stderr: string }> {
  const { stdout, stderr } = await runAdvisor(['lint', url, '--json', ...args])
  assert.notEqual(stdout, '', stderr)
  return { ...JSON.parse(stdout), stderr }
}

describe('Supabase', () => {
  test('is known by its roles and auth.uid(), which is said; its own schemas are not looked at', async () => {
    const { presets, schemas, stderr } = await lint(urlOf('passer_by'))
    assert.deepEqual({ presets, schemas }, { presets: ['supabase'], schemas: ['public'] })
    assert.match(stderr, /^advisor: Taken for Supabase, by the roles anon.*auth\.uid\(\)\.\n$/)
    const named = await lint(urlOf('passer_by'), '--schema', 'storage')
    assert.deepEqual(named.schemas, ['storage'])
    const none = await lint(urlOf('passer_by'), '--preset', 'none')
    assert.deepEqual(none.presets, [])
    assert.ok(none.schemas.includes('auth') && none.schemas.includes('storage'), none.stderr)
    assert.equal(none.stderr, '')
  })

  test('requests are anon, authenticated and what else a token may name; nobody is service_role', async () => {
    await superuser.query('create role moderator nologin; grant moderator to authenticator')
    try {
      const { names } = await takeNames(superuser, 'auto')
      assert.deepEqual(names.requestRoles, ['anon', 'authenticated', 'moderator'])
      assert.ok(names.trustedRoles.includes('service_role'))
      assert.ok(names.identityFunctions.includes('auth.uid'))
    } finally {
      await superuser.query('drop role moderator')
    }
  })

  test('a table that anon may read without policies is found by whoever asks, however little they may', async () => {
    await superuser.query(`
      create table public.letters (id integer primary key, text text);
      alter table public.letters disable row level security;
      grant select on public.letters to anon`)
    try {
      for (const role of ['passer_by', 'reader', 'postgres']) {
        const url = role === 'postgres' ? supabase.databaseUrl : urlOf(role)
        const { findings } = await lint(url)
        assert.ok(
          findings.some(
            ({ rule, object }) =>
              rule === 'table-without-row-level-security' && object === 'table public.letters',
          ),
          role,
        )
      }
    } finally {
      await superuser.query('drop table public.letters')
    }
  })
})

const platforms = ['sequence-can-be-set', 'sequence-tells-count', 'granted-by-default'].concat(
  'publication-past-policies',
)
const ofPlatform = ({ findings }: Shown) =>
  findings
    .filter(({ rule }) => platforms.includes(rule))
    .map(({ weight, rule, object }) => `${weight} ${rule}: ${object}`)

test('on Supabase, what the platform grants and publishes is told once, as a habit', async () => {
  await superuser.query(`
    create role stage; grant usage on schema public to anon, authenticated;
    create table public.messages (id bigint generated always as identity primary key, number serial, owner_id uuid);
    alter table public.messages enable row level security;
    grant all on all sequences in schema public to anon, authenticated;
    alter default privileges for role stage in schema public grant all on tables to anon, authenticated;
    alter publication supabase_realtime add table public.messages`)
  try {
    const url = urlOf('passer_by')
    assert.deepEqual(ofPlatform(await lint(url, '--style')), [
      'style sequence-can-be-set: sequences of schema public',
    ])
    const elsewhere = ofPlatform(await lint(url, '--preset', 'none', '--role', 'anon'))
    assert.deepEqual(elsewhere.sort(), [
      'hole sequence-can-be-set: grant of update to anon on sequence public.messages_id_seq',
      'hole sequence-can-be-set: grant of update to anon on sequence public.messages_number_seq',
      'leak granted-by-default: default grant to anon on tables of postgres in schema public',
      'leak granted-by-default: default grant to anon on tables of stage in schema public',
      'leak granted-by-default: default grant to anon on tables of supabase_admin in schema public',
      'leak publication-past-policies: publication supabase_realtime',
      'leak sequence-tells-count: grant of select to anon on sequence public.messages_id_seq',
      'leak sequence-tells-count: grant of select to anon on sequence public.messages_number_seq',
    ])
  } finally {
    await superuser.query('drop table public.messages; drop owned by stage; drop role stage')
  }
})

test('a database without any row-level security is told so once, unless its roles of requests are known', async () => {
  const layout = `
    create schema app; grant usage on schema app to passer_by;
    create table app.films (id integer primary key); create table app.rentals (id integer primary key);
    grant select on app.films to passer_by; grant select, insert on app.rentals to passer_by`
  await onDatabase('films', layout, async () => {
    const url = urlOf('passer_by', 'films')
    const told = async (...args: string[]) =>
      (await lint(url, '--preset', 'none', ...args)).findings
        .filter(({ rule }) => rule === 'table-without-row-level-security')
        .map(({ weight, object }) => `${weight} ${object}`)
    assert.deepEqual(await told(), ['leak database films'])
    assert.deepEqual((await told('--role', 'passer_by')).sort(), [
      'hole table app.rentals',
      'leak table app.films',
    ])
  })
})

describe('PostgREST', () => {
  const layout = `
    create schema api;
    create table api.todos (id integer primary key, task text);
    grant usage on schema api to web_anon; grant select on api.todos to web_anon`

  before(() =>
    superuser.query(`
      create role web_anon nologin; create role todo_user nologin;
      create role gate login noinherit; grant web_anon, todo_user to gate;
      create role crowd nologin; create role batch login; grant crowd to batch;
      alter role gate set pgrst.db_schemas = 'api'`),
  )
  after(() => superuser.query('drop role web_anon, todo_user, gate, crowd, batch'))

  test('is known by the settings of the role that it logs in as, or by its usual name', async () => {
    await onDatabase('todos', layout, async (owner) => {
      const { presets, names, note } = await takeNames(owner, 'auto')
      assert.deepEqual(presets, ['postgrest'])
      // And not Supabase's, which are another database's of this server.
      assert.deepEqual(names.requestRoles, ['todo_user', 'web_anon'])
      assert.deepEqual(names.trustedRoles, ['gate'])
      assert.deepEqual(names.identitySettings, ['request.jwt.claims', 'request.jwt.claim.'])
      assert.match(note ?? '', /^Taken for PostgREST, by a login role that inherits nothing/)
    })
  })

  test('what its roles may read without policies is found', async () => {
    await onDatabase('todos', layout, async () => {
      const { findings, presets } = await lint(urlOf('passer_by', 'todos'), '--schema', 'api')
      assert.deepEqual(presets, ['postgrest'])
      const objects = findings.map(({ object }) => object)
      assert.ok(objects.includes('table api.todos'), JSON.stringify(objects))
    })
  })

  test('who names roles means these, whatever the database looks like', async () => {
    await onDatabase('todos', layout, async (owner) => {
      const known = { ...noNames, requestRoles: ['crowd'] }
      assert.deepEqual((await takeNames(owner, 'none', known)).names, known)
      const { stderr } = await lint(urlOf('passer_by', 'todos'), '--role', 'web_anon')
      assert.match(stderr, /Taken for PostgREST/)
    })
  })
})

describe('roles are the whole server’s, and a preset this database’s', () => {
  const open = `
    create table public.accounts (id integer primary key, iban text);
    alter table public.accounts enable row level security;
    create policy all_of_them on public.accounts to shop_app using (true);
    grant select, insert, update, delete on public.accounts to shop_app`

  before(() => superuser.query('create role shop_app login'))
  after(() => superuser.query('drop role shop_app'))

  const isOpen = ({ findings }: Shown): boolean =>
    findings.some(({ object }) => object === 'policy all_of_them on public.accounts')

  test('what another database has its roles for makes none of this one', async () => {
    await onDatabase('shop', open, async (owner) => {
      const report = await lint(urlOf('passer_by', 'shop'))
      assert.deepEqual(
        { presets: report.presets, stderr: report.stderr },
        { presets: [], stderr: '' },
      )
      assert.ok(isOpen(report), JSON.stringify(report.findings))
      // What Supabase's roles may do in its database is nothing to this one.
      assert.doesNotMatch(JSON.stringify(report.findings), /service_role|authenticator/)
      const { stdout } = await runAdvisor(['exposure', urlOf('passer_by', 'shop'), '--json'])
      assert.deepEqual(
        JSON.parse(stdout).roles.map(({ name }: { name: string }) => name),
        ['shop_app', 'PUBLIC'],
      )
      await owner.query(
        'grant usage on schema public to anon; revoke connect on database shop from public',
      )
      assert.deepEqual((await takeNames(owner, 'auto')).presets, [])
      await owner.query('grant connect on database shop to authenticator')
      assert.deepEqual((await takeNames(owner, 'auto')).presets, ['postgrest'])
    })
  })

  test('beside a preset, roles that log in and were granted something here are asked about', async () => {
    await onDatabase('joint', `${open}; grant usage on schema public to anon`, async (owner) => {
      const { presets, names } = await takeNames(owner, 'auto')
      assert.deepEqual(presets, ['postgrest'])
      assert.deepEqual(names.requestRoles, ['anon', 'shop_app'])
      assert.deepEqual(names.shownRoles, ['anon', 'shop_app', 'PUBLIC'])
      const report = await lint(urlOf('passer_by', 'joint'))
      assert.ok(isOpen(report), JSON.stringify(report.findings))
      // It is what it acts as, and no door.
      assert.ok(report.findings.every(({ rule }) => rule !== 'policy-to-login-role'))
    })
    await superuser.query(open)
    try {
      const report = await lint(urlOf('passer_by'))
      assert.deepEqual(report.presets, ['supabase'])
      assert.ok(isOpen(report), JSON.stringify(report.findings))
      const { stdout } = await runAdvisor(['exposure', urlOf('passer_by'), '--json'])
      assert.ok(JSON.parse(stdout).roles.some(({ name }: { name: string }) => name === 'shop_app'))
    } finally {
      await superuser.query('drop table public.accounts')
    }
  })
})

test('policies that people write on a platform’s tables are looked at, its own tables are not, and that is said', async () => {
  await superuser.query(`
    create policy anybody_deletes on storage.objects for delete to anon using (true);
    create policy own_only on storage.objects for select to authenticated using (owner = (select auth.uid()))`)
  try {
    const { findings, schemas } = await lint(urlOf('passer_by'))
    assert.deepEqual(schemas, ['public'])
    const objects = findings
      .map(({ object }) => object)
      .filter((object) => /storage|realtime|auth\./.test(object))
    assert.deepEqual([...new Set(objects)], ['policy anybody_deletes on storage.objects'])
    const { stdout } = await runAdvisor(['lint', urlOf('passer_by')])
    assert.match(
      stdout,
      /\n\nLeft alone, but for policies: auth, extensions, realtime, storage\.\n\n/,
    )
  } finally {
    await superuser.query(
      'drop policy anybody_deletes on storage.objects; drop policy own_only on storage.objects',
    )
  }
})

test('a setting is believed where somebody says so, by its name or what it begins with', async () => {
  const layout = `
    create table public.rows (id integer primary key, tenant uuid);
    create index on public.rows (tenant);
    alter table public.rows enable row level security;
    grant select on public.rows to passer_by;
    create policy of_tenant on public.rows to passer_by
      using (tenant = (select nullif(current_setting('app.tenant_id', true), '')::uuid))`
  await onDatabase('tenants', layout, async () => {
    const url = urlOf('passer_by', 'tenants')
    const told = async (...args: string[]) => {
      const { stdout } = await runAdvisor(['lint', url, '--json', ...args])
      const { findings } = JSON.parse(stdout)
      return findings.filter(({ rule }: { rule: string }) => rule === 'identity-from-setting')
    }
    const [fault] = await told()
    assert.match(fault.mend, /if not, say so: lint --trust-setting app\.tenant_id$/)
    for (const name of ['app.tenant_id', 'APP.tenant_id', 'app.'])
      assert.deepEqual(await told('--trust-setting', name), [], name)
    assert.equal(
      (await told('--trust-setting', 'app.user_id', '--trust-setting', 'api.')).length,
      1,
    )
    const { code, stderr } = await runAdvisor(['lint', url, '--trust-setting', 'role'])
    assert.equal(code, 2)
    assert.match(stderr, /app\.user_id, or app\. for all below it/)
  })
})

test('a preset whose platform is not there is refused, and says what it looks for', async () => {
  await onDatabase('plain', 'create schema app', async (owner) => {
    for (const [choice, message] of [
      ['supabase', /--preset supabase: .* the roles anon, authenticated and service_role/],
      ['pie', /--preset pie: .* pie_schema and pie_private/],
    ] satisfies [PresetChoice, RegExp][])
      await assert.rejects(takeNames(owner, choice), message)
  })
})

test('what is recognised is added to what is known anyway: Pie may be on Supabase', async () => {
  const known = { ...noNames, requestRoles: ['cream'], hookSchemas: ['pie_hooks'], note: 'Known.' }
  const { names } = await takeNames(superuser, 'auto', known)
  assert.deepEqual(names.requestRoles, ['cream', 'anon', 'authenticated'])
  assert.deepEqual(names.hookSchemas, ['pie_hooks'])
  assert.match(names.note ?? '', /^Known\.\n\nOn Supabase/)
})

test('nothing that stands in a schema is run by whoever looks for signs', async () => {
  await onDatabase(
    'trap',
    `create schema trap;
     create function trap.spring(name, text) returns boolean language plpgsql as $$ begin raise 'sprung'; end $$;
     create operator trap.!~ (leftarg = name, rightarg = text, function = trap.spring);
     grant usage on schema trap to anon;
     alter database trap set search_path = trap, pg_catalog`,
    async () => {
      const client = await connect(urlOf('supabase_admin', 'trap').replace('passer', 'superuser'))
      try {
        await assert.rejects(client.query(`select rolname !~ 'x' from pg_roles`), /sprung/)
        assert.deepEqual((await takeNames(client, 'auto')).presets, ['postgrest'])
      } finally {
        await client.end()
      }
    },
  )
})

test('where no role looks like one of requests that is said, and a role that is not there is none', async () => {
  await superuser.query('alter role passer_by createrole; alter role reader createrole')
  try {
    await superuser.query('alter role authenticator nologin')
    await onDatabase('lonely', 'create schema app', async () => {
      const url = new URL(supabase.superuserUrl)
      url.pathname = '/lonely'
      const { stdout } = await runAdvisor(['lint', url.href, '--preset', 'none'])
      assert.match(stdout, /Not seen: whom requests act as\./)
      const named = await runAdvisor(['lint', url.href, '--role', 'anon'])
      assert.doesNotMatch(named.stdout, /Not seen/)
      const missing = await runAdvisor(['lint', url.href, '--role', 'anonn'])
      assert.equal(missing.code, 2)
      assert.match(missing.stderr, /There is no role anonn here\. There are: anon, authenticated,/)
    })
  } finally {
    await superuser.query(
      'alter role passer_by nocreaterole; alter role reader nocreaterole; alter role authenticator login',
    )
  }
})
