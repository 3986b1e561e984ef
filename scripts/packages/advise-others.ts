/** The advisor's package on databases of others: what it finds there, and as whom. */
import assert from 'node:assert/strict'
import pg from 'pg'
import { startSupabaseLike } from '../../test/harness/supabase-like.ts'
import type { EmptyFolder } from './empty-folder.ts'

/** Who asks: an owner that is no superuser, one who may read everything, and one who may log in and nothing else. */
const askers = ['postgres', 'reader', 'passer_by'] as const

const planted = {
  supabase: `
    create role reader login password 'owner'; grant pg_read_all_data to reader;
    create role passer_by login password 'owner';
    grant create on schema public to postgres; set role postgres;
    -- No row-level security, on what the platform's defaults have granted.
    create table public.letters (id integer primary key, owner uuid, text text);
    -- Past the policies of the table below it.
    create view public.everybody as select * from public.profiles`,
  postgrest: `
    create role web_anon nologin; create role gate login noinherit; grant web_anon to gate;
    alter role gate set pgrst.db_anon_role = 'web_anon';
    create schema api; grant usage on schema api to web_anon;
    create table api.todos (id integer primary key, task text);
    grant select on api.todos to web_anon;
    create schema private; create table private.plans (id integer primary key, text text);
    alter table private.plans enable row level security;
    create view api.plans as select * from private.plans; grant select on api.plans to web_anon`,
} as const

const found: Record<
  keyof typeof planted,
  [schema: string, role: string, findings: [rule: string, object: string][]]
> = {
  supabase: [
    'public',
    'anon',
    [
      ['table-without-row-level-security', 'table public.letters'],
      ['view-not-security-invoker', 'view public.everybody'],
    ],
  ],
  postgrest: [
    'api',
    'web_anon',
    [
      ['table-without-row-level-security', 'table api.todos'],
      ['view-not-security-invoker', 'view api.plans'],
    ],
  ],
}

/**
 * Plants holes in databases laid out like Supabase's and PostgREST's, on a Postgres without Pie, and holds what
 * `npx advisor lint` and `exposure` say against them.
 * @param folders where it is installed, by what to call them
 * @param binariesPackage of the Postgres
 */
export async function adviseOthers(
  folders: ReadonlyMap<string, EmptyFolder>,
  binariesPackage: string,
): Promise<void> {
  const { server, superuserUrl } = await startSupabaseLike(binariesPackage)
  try {
    await plant(superuserUrl, planted.supabase)
    await plant(superuserUrl, 'create database todos')
    await plant(urlOf(superuserUrl, 'todos'), planted.postgrest)
    for (const [title, folder] of folders)
      for (const asker of askers)
        for (const [preset, database] of [
          ['supabase', 'postgres'],
          ['postgrest', 'todos'],
        ] as const)
          await advise(
            folder,
            preset,
            urlOf(superuserUrl, database, asker),
            `${title}, as ${asker}`,
          )
  } finally {
    await server.stop()
  }
}

async function advise(
  folder: EmptyFolder,
  preset: keyof typeof planted,
  address: string,
  title: string,
): Promise<void> {
  const [schema, role, findings] = found[preset]
  const npx = (...args: string[]) => folder.run('npx', ['--no-install', 'advisor', ...args])
  const lint = await npx('lint', address, '--json')
  assert.equal(lint.code, 1, `${title}: ${lint.output}`)
  const report = JSON.parse(lint.output.split('\n').find((line) => line.startsWith('{')) ?? '{}')
  assert.deepEqual(
    { presets: report.presets, schemas: report.schemas.includes(schema) },
    {
      presets: [preset],
      schemas: true,
    },
  )
  for (const [rule, object] of findings)
    assert.ok(
      report.findings.some(
        (other: Record<string, string>) => other['rule'] === rule && other['object'] === object,
      ),
      `${title}: ${rule} on ${object} is not among ${lint.output}`,
    )
  const exposure = await npx('exposure', address, '--schema', schema, '--role', role)
  assert.equal(exposure.code, 0, `${title}: ${exposure.output}`)
  assert.match(exposure.output, /ALL ROWS/, title)
  // Which acts as the role that it explains, and so takes somebody who may become it.
  if (!address.includes('//postgres:') || preset !== 'supabase') return
  const explain = await npx('explain', address, '--role', role, '--table', 'public.letters')
  assert.match(explain.output, /^anon can see every row of public\.letters/, explain.output)
}

async function plant(address: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: address })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

/** @param asker null for the superuser */
function urlOf(superuserUrl: string, database: string, asker: string | null = null): string {
  const url = new URL(superuserUrl)
  url.pathname = `/${database}`
  if (asker !== null) Object.assign(url, { username: asker, password: 'owner' })
  return url.href
}
