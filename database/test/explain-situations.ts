/** What may be the matter when a role asks: planted, with what a client of it sends and what explain has to say of it. */
import type { AccessQuestion } from '../../advisor/src/explain/explain-access.ts'
import type { Explanation } from '../../advisor/src/explain/explanation.ts'

export interface Situation {
  name: string
  /** Run in an empty schema `app`, which `asker` may use. */
  sql: string
  asSuperuser?: string
  asked: Partial<AccessQuestion>
  /** The settings that the application makes. */
  settings?: Record<string, string>
  /** What a client sends as `asker`. */
  client: string
  verdict: Explanation['verdict']
  decided_by: Explanation['decided_by']['kind']
  /** The policies that an error comes from. */
  policies?: string[]
  /** In the words. */
  says?: RegExp
  /** Only on these. */
  since?: number
}

/** A table with two rows of ada and one of grace, under row-level security. */
export const notes = `
  create table app.notes (id int primary key, owner text not null default 'ada', body text);
  insert into app.notes values (1, 'ada', 'a'), (2, 'ada', 'b'), (3, 'grace', 'c');
  alter table app.notes enable row level security;
  grant select, insert, update, delete on app.notes to asker;`
const mine = `create policy mine on app.notes using (owner = current_setting('app.user', true));`
const select = 'select * from app.notes'

/** Reading, without a row and with one. */
export const readings: Situation[] = [
  {
    name: 'some of the rows are let through',
    sql: notes + mine,
    settings: { 'app.user': 'ada' },
    asked: {},
    client: select,
    verdict: 'depends',
    decided_by: 'policies',
    says: /^asker can see some rows of app\.notes: .*mine[\s\S]*\nRows that they can see: 2 of 3\./,
  },
  {
    name: 'none of the rows is let through',
    sql: notes + mine,
    settings: { 'app.user': 'nobody' },
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'policies',
    says: /^asker cannot see any row of app\.notes: none is let through by mine\./,
  },
  {
    name: 'every row that is there is let through',
    sql: `${notes}${mine} delete from app.notes where owner <> 'ada';`,
    settings: { 'app.user': 'ada' },
    asked: {},
    client: select,
    verdict: 'yes',
    decided_by: 'policies',
    says: /^asker can see every row of app\.notes: all that are there are let through by mine/,
  },
  {
    name: 'no row is there at all',
    sql: `${notes}${mine} delete from app.notes;`,
    settings: { 'app.user': 'ada' },
    asked: {},
    client: select,
    verdict: 'unknown',
    decided_by: 'no_rows',
    says: /^Whether asker can see rows of app\.notes is not known: no row at all is in it/,
  },
  {
    name: 'no row is there, and the policy fails when it is planned',
    sql: `${notes} create policy mine on app.notes using (owner = current_setting('app.user')); delete from app.notes;`,
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes mine'],
  },
  {
    name: 'no row is there, and the policy would fail on one',
    sql: `${notes} create function app.is_mine(text) returns boolean language plpgsql as 'begin raise exception ''nobody is signed in''; end';
      create policy mine on app.notes using (app.is_mine(owner)); delete from app.notes;`,
    asked: {},
    client: select,
    verdict: 'unknown',
    decided_by: 'no_rows',
    says: /Note: The policy mine fails on a row of nulls: nobody is signed in/,
  },
  {
    name: 'no row is there, and the policies go round',
    sql: `${notes} delete from app.notes; create policy round on app.notes using (exists (select from app.notes as other));`,
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes round'],
  },
  {
    name: 'a policy reads its own table',
    sql: `${notes} create policy round on app.notes using (id in (select id from app.notes));`,
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes round'],
    says: /^asker cannot see any row of app\.notes: Postgres fails, from the policy round: infinite recursion detected in policy for relation "notes" \(42P17\)/,
  },
  {
    name: 'policies of two tables read each other',
    sql: `${notes}
      create table app.members (note_id int, name text);
      alter table app.members enable row level security;
      grant select on app.members to asker;
      create policy by_member on app.notes using (exists (select from app.members as m where m.note_id = notes.id));
      create policy by_note on app.members using (exists (select from app.notes as n where n.id = members.note_id));
      create policy aside on app.members using (name = 'ada');`,
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes by_member', 'app.members by_note'],
  },
  {
    name: 'policies go round by way of a view, and one row is asked about',
    sql: `${notes}
      create view app.all_notes with (security_invoker = true) as select id from app.notes;
      grant select on app.all_notes to asker;
      create policy by_view on app.notes using (id in (select id from app.all_notes));`,
    asked: { row: '1' },
    client: 'select * from app.notes where id = 1',
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes by_view'],
  },
  {
    name: 'a setting that is not there is read without missing_ok',
    sql: `${notes} create policy mine on app.notes using (owner = current_setting('app.nothing'));`,
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes mine'],
    says: /current_setting\(name, true\)/,
  },
  {
    name: 'a setting that is empty is cast',
    sql: `${notes} create policy mine on app.notes using (id = current_setting('app.user', true)::int);
      create policy aside on app.notes using (owner = 'nobody');`,
    settings: { 'app.user': '' },
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes mine'],
  },
  {
    name: 'a policy divides by zero on one row',
    sql: `${notes} create policy divides on app.notes using (1 / (id - 3) > -5);`,
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes divides'],
  },
  {
    name: 'a policy divides by zero on another row',
    sql: `${notes} create policy divides on app.notes using (1 / (id - 3) > -5);`,
    asked: { row: '1' },
    client: 'select * from app.notes where id = 1',
    verdict: 'yes',
    decided_by: 'policies',
  },
  {
    name: 'a restrictive policy divides by zero on this row',
    sql: `${notes} create policy everybody on app.notes using (true); create policy divides on app.notes as restrictive using (1 / (id - 3) > -5);`,
    asked: { row: '3' },
    client: 'select * from app.notes where id = 3',
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes divides'],
  },
  {
    name: 'a policy fails where another is true, which Postgres asks first',
    sql: `${notes} create policy b_true on app.notes using (owner = 'ada'); create policy a_fails on app.notes using (1 / (id - 1) > 0);`,
    asked: { row: '1' },
    client: 'select * from app.notes where id = 1',
    verdict: 'yes',
    decided_by: 'policies',
    says: /By itself, the policy a_fails fails: division by zero\. Postgres may ask it before or after/,
  },
  {
    name: 'a policy fails where another is true, which Postgres asks later',
    sql: `${notes} create policy b_fails on app.notes using (1 / (id - 1) > 0); create policy a_true on app.notes using (owner = 'ada');`,
    asked: { row: '1' },
    client: 'select * from app.notes where id = 1',
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes b_fails'],
  },
  {
    name: 'a policy calls a function that may not be executed',
    sql: `${notes} create function app.is_mine(text) returns boolean language sql stable as 'select $1 = ''ada''';
      revoke execute on function app.is_mine(text) from public;
      create policy mine on app.notes using (app.is_mine(owner));`,
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes mine'],
    says: /grant execute on function app\.is_mine\(text\) to asker/,
  },
  {
    name: 'a policy calls a function of a schema that may not be used, which is no matter',
    sql: `${notes} create schema closed;
      create function closed.is_mine(text) returns boolean language sql stable as 'select $1 = ''ada''';
      create policy mine on app.notes using (closed.is_mine(owner));`,
    asked: { row: '1' },
    client: 'select * from app.notes where id = 1',
    verdict: 'yes',
    decided_by: 'policies',
  },
  {
    name: 'the body of a helper names a schema that may not be used',
    sql: `${notes} create schema closed; create table closed.members (name text);
      create function app.is_mine(text) returns boolean language plpgsql stable as 'begin return exists (select from closed.members where name = $1); end';
      create policy mine on app.notes using (app.is_mine(owner));`,
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes mine'],
    says: /permission denied for schema closed \(42501\)\nPL\/pgSQL function app\.is_mine/,
  },
  {
    name: 'a policy reads a table that is not granted',
    sql: `${notes} create table app.members (name text);
      create policy mine on app.notes using (owner in (select name from app.members));`,
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes mine'],
    says: /grant select on app\.members to asker/,
  },
  {
    name: 'a helper raises',
    sql: `${notes} create function app.who() returns text language plpgsql stable as 'begin raise exception ''nobody is signed in''; end';
      create policy mine on app.notes using (owner = app.who());`,
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes mine'],
    says: /nobody is signed in \(P0001\)\nPL\/pgSQL function app\.who\(\) line 1 at RAISE/,
  },
  {
    name: 'a helper calls itself by way of the table that it is asked for',
    sql: `${notes} create function app.sees(int) returns boolean language plpgsql stable as 'begin return exists (select from app.notes where id = $1); end';
      create policy mine on app.notes using (app.sees(id));`,
    asked: { row: '1' },
    client: 'select * from app.notes where id = 1',
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes mine'],
  },
  {
    name: 'a policy takes longer than a statement may',
    sql: `${notes} create policy slow on app.notes using (pg_sleep(10) is not null); create policy swift on app.notes using (false);`,
    asked: { timeoutSeconds: 1 },
    client: `set local statement_timeout = '1s'; select * from app.notes`,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes slow'],
    says: /canceling statement due to statement timeout \(57014\)[\s\S]*--timeout/,
  },
  {
    name: 'no policy lets the role see anything',
    sql: `${notes} create policy others on app.notes for insert with check (true);`,
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'no_policy',
  },
  {
    name: 'nothing is granted on the schema',
    sql: `create schema closed; create table closed.away (id int primary key); insert into closed.away values (1); grant select on closed.away to asker;`,
    asked: { table: 'closed.away' },
    client: 'select * from closed.away',
    verdict: 'no',
    decided_by: 'grant',
    says: /grant usage on schema closed to asker/,
  },
  {
    name: 'only some columns are granted',
    sql: `${notes}${mine} revoke select on app.notes from asker; grant select (id, body) on app.notes to asker;`,
    settings: { 'app.user': 'ada' },
    asked: {},
    client: 'select id, body from app.notes',
    verdict: 'depends',
    decided_by: 'policies',
    says: /`select \*` is refused, because of owner/,
  },
  {
    name: 'row-level security is off',
    sql: `${notes} alter table app.notes disable row level security;`,
    asked: {},
    client: select,
    verdict: 'yes',
    decided_by: 'row_security_off',
  },
  {
    name: 'a view reads as its owner',
    sql: `${notes}${mine} create view app.seen as select * from app.notes where id < 3; grant select on app.seen to asker;`,
    asked: { table: 'app.seen' },
    client: 'select * from app.seen',
    verdict: 'yes',
    decided_by: 'view',
    says: /^asker can see every row of app\.seen: it is a view, and reads app\.notes as plain_owner/,
  },
  {
    name: 'a view reads as whoever asks',
    sql: `${notes}${mine} create view app.seen with (security_invoker = on) as select * from app.notes; grant select on app.seen to asker;`,
    settings: { 'app.user': 'grace' },
    asked: { table: 'app.seen' },
    client: 'select * from app.seen',
    verdict: 'depends',
    decided_by: 'view',
  },
  {
    name: 'a view reads as whoever asks, and the policy beneath fails',
    sql: `${notes} create policy mine on app.notes using (owner = current_setting('app.nothing'));
      create view app.seen with (security_invoker = on) as select * from app.notes; grant select on app.seen to asker;`,
    asked: { table: 'app.seen' },
    client: 'select * from app.seen',
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes mine'],
  },
  {
    name: 'a view computes a column that fails',
    sql: `create view app.seen as select 1 / (n - 2) as quotient from generate_series(1, 3) as n; grant select on app.seen to asker;`,
    asked: { table: 'app.seen' },
    client: 'select * from app.seen',
    verdict: 'no',
    decided_by: 'postgres',
  },
  {
    name: 'one row of a view, by a column',
    sql: `${notes}${mine} create view app.seen with (security_invoker = on) as select * from app.notes; grant select on app.seen to asker;`,
    settings: { 'app.user': 'grace' },
    asked: { table: 'app.seen', row: '{"id": 1}' },
    client: 'select * from app.seen where id = 1',
    verdict: 'no',
    decided_by: 'view',
  },
  {
    name: 'a materialized view was never filled',
    sql: `create materialized view app.kept as select 1 as one with no data; grant select on app.kept to asker;`,
    asked: { table: 'app.kept' },
    client: 'select * from app.kept',
    verdict: 'no',
    decided_by: 'postgres',
  },
  {
    name: 'a materialized view',
    sql: `${notes} create materialized view app.kept as select * from app.notes; grant select on app.kept to asker;`,
    asked: { table: 'app.kept' },
    client: 'select * from app.kept',
    verdict: 'yes',
    decided_by: 'row_security_off',
    says: /WHICH HAS NO POLICIES/,
  },
  {
    name: 'a partition is asked for by its own name, and has no policies',
    sql: `create table app.days (id int, owner text) partition by range (id);
      create table app.day_1 partition of app.days for values from (0) to (10);
      insert into app.days values (1, 'ada'), (2, 'grace');
      alter table app.days enable row level security;
      create policy mine on app.days using (owner = 'ada');
      grant select on app.days, app.day_1 to asker;`,
    asked: { table: 'app.day_1' },
    client: 'select * from app.day_1',
    verdict: 'yes',
    decided_by: 'row_security_off',
    says: /app\.day_1 is a part of app\.days\./,
  },
  {
    name: 'a partitioned table',
    sql: `create table app.days (id int, owner text) partition by range (id);
      create table app.day_1 partition of app.days for values from (0) to (10);
      insert into app.days values (1, 'ada'), (2, 'grace');
      alter table app.days enable row level security;
      create policy mine on app.days using (owner = 'ada');
      grant select on app.days to asker;`,
    asked: { table: 'app.days' },
    client: 'select * from app.days',
    verdict: 'depends',
    decided_by: 'policies',
  },
  {
    name: 'a table without a primary key, one row by its columns',
    sql: `${notes}${mine} alter table app.notes drop constraint notes_pkey;`,
    settings: { 'app.user': 'ada' },
    asked: { row: '{"owner": "ada", "body": "b"}' },
    client: `select * from app.notes where owner = 'ada' and body = 'b'`,
    verdict: 'yes',
    decided_by: 'policies',
  },
  {
    name: 'names that need quoting',
    sql: `create table app."My ""Notes" ("Key Of" int primary key, "select" text, "the rows" int);
      insert into app."My ""Notes" values (1, 'ada', 1), (2, 'grace', 2);
      alter table app."My ""Notes" enable row level security;
      create policy "my ""own""" on app."My ""Notes" using ("My ""Notes"."select" = 'ada');
      grant select on app."My ""Notes" to asker;`,
    asked: { table: 'app."My ""Notes"' },
    client: 'select * from app."My ""Notes"',
    verdict: 'depends',
    decided_by: 'policies',
  },
  {
    name: 'the role has a setting of its own, which a login gives it',
    sql: `${notes}${mine}`,
    asSuperuser: `alter role asker set "app.user" = 'grace'`,
    asked: {},
    client: select,
    verdict: 'depends',
    decided_by: 'policies',
  },
  {
    name: 'a virtual column cannot be computed',
    sql: `create table app.parts (id int primary key, share int generated always as (10 / (id - 2)) virtual);
      insert into app.parts values (1), (2); grant select on app.parts to asker;`,
    asked: { table: 'app.parts' },
    client: 'select * from app.parts',
    verdict: 'no',
    decided_by: 'postgres',
    since: 18,
  },
  {
    name: 'whoever connects has a setting of its own, which a login as the role would not have',
    sql: `${notes}${mine} do $$ begin execute format('alter role %I set app."user" = ''grace''', current_user); end $$;`,
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'policies',
    says: /none is let through by mine\.\nNobody is signed in: app\.user is not set\. Give it as your application does: --setting app\.user=…\n/,
  },
  {
    name: 'the database has a setting, which whoever connects has otherwise',
    sql: `${notes}${mine} do $$ begin execute format('alter role %I set app."user" = ''grace''', current_user);
      execute format('alter database %I set app."user" = ''ada''', current_database()); end $$;`,
    asked: {},
    client: select,
    verdict: 'depends',
    decided_by: 'policies',
    says: /Rows that they can see: 2 of 3\./,
  },
  {
    name: 'nobody is signed in, as a function says that reads the claims',
    sql: `${notes} create function app.uid() returns text stable language sql as $$ select nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub' $$;
      create policy mine on app.notes using (owner = (select app.uid()));`,
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'policies',
    says: /mine\.\nNobody is signed in: app\.uid\(\) is null\. Give the token's claims: --setting 'request\.jwt\.claims=\{"sub":"…","role":"authenticated"\}'\n/,
  },
  {
    name: 'a policy fails on one row, and not on the others',
    sql: `${notes} create policy divides on app.notes using (1 / (id - 3) < 5);`,
    asked: {},
    client: select,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes divides'],
    says: /^asker cannot see the rows of app\.notes all at once, though some of them one by one: Postgres fails, from the policy divides: division by zero/,
  },
  {
    name: 'a view of somebody whom no policy binds',
    sql: `${notes} create view app.short as select id from app.notes; grant select on app.short to asker;`,
    asked: { table: 'app.short' },
    client: 'select * from app.short',
    verdict: 'yes',
    decided_by: 'view',
    says: /as plain_owner, WHOM NO POLICY BINDS there/,
  },
  {
    name: 'a key that is a row',
    sql: `create type app.pair as (a int, b text); create table app.pairs (p app.pair primary key, v int);
      insert into app.pairs values ('(1,"x,y")', 1); alter table app.pairs enable row level security;
      create policy every on app.pairs using (true); grant select, update on app.pairs to asker;`,
    asked: { table: 'app.pairs', row: '(1,"x,y")', action: 'update' },
    client: `update app.pairs set v = v where p = '(1,"x,y")'::app.pair`,
    verdict: 'yes',
    decided_by: 'policies',
  },
]
