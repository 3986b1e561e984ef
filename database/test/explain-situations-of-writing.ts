import { notes, type Situation } from './explain-situations.ts'

const everybody = `create policy everybody on app.notes for select using (true);`
const own = `create policy own on app.notes using (owner = 'ada');`

const updates: Situation[] = [
  {
    name: 'an update comes to some of the rows',
    sql: notes + everybody + own,
    asked: { action: 'update' },
    client: 'update app.notes set body = body where id is not null',
    verdict: 'depends',
    decided_by: 'policies',
    says: /^asker can change some rows of app\.notes[\s\S]*Rows that they can change: 2 of 3\./,
  },
  {
    name: 'an update without a where, where no select policy lets anything through',
    sql: `${notes} create policy changed on app.notes for update using (owner = 'ada');`,
    asked: { action: 'update' },
    client: `update app.notes set body = 'x'`,
    verdict: 'depends',
    decided_by: 'policies',
    says: /^asker can change some rows[\s\S]*Note: That is so of a statement without a `where`: .* One with a `where` comes to 0 rows\./,
  },
  {
    name: 'an update of a column without null, which may not be read',
    sql: `${notes}${own} revoke select, update on app.notes from asker; grant select (id), update (owner) on app.notes to asker;`,
    asked: { action: 'update' },
    client: `update app.notes set owner = 'ada' where id is not null`,
    verdict: 'depends',
    decided_by: 'policies',
  },
  {
    name: 'an update of a view that computes its first column',
    sql: `${notes} create view app.seen as select id * 2 as twice, body from app.notes; grant select, update on app.seen to asker;`,
    asked: { action: 'update', table: 'app.seen' },
    client: `update app.seen set body = 'x'`,
    verdict: 'yes',
    decided_by: 'view',
  },
  {
    name: 'an update that a trigger leaves out',
    sql: `${notes}${everybody}${own}
      create function app.leave_out() returns trigger language plpgsql as 'begin return null; end';
      create trigger leave_out before update on app.notes for each row execute function app.leave_out();`,
    asked: { action: 'update', row: '1', set: '{"body": "x"}' },
    client: `update app.notes set body = 'x' where id = 1`,
    verdict: 'no',
    decided_by: 'postgres',
    says: /Note: A trigger of app\.notes runs before each row, and may change it, leave it out/,
  },
  {
    name: 'an update of which no policy is',
    sql: notes + everybody,
    asked: { action: 'update' },
    client: `update app.notes set body = 'x' where id = 1`,
    verdict: 'no',
    decided_by: 'no_policy',
  },
  {
    name: 'an update that is granted without select, by its key',
    sql: `${notes}${own} revoke select on app.notes from asker;`,
    asked: { action: 'update', row: '1', set: '{"body": "x"}' },
    client: `update app.notes set body = 'x' where id = 1`,
    verdict: 'no',
    decided_by: 'grant',
    says: /select of id, because the row is found by it\.\nIf that should be: grant select \(id\) on app\.notes to asker/,
  },
  {
    name: 'an update that is granted without select, of the whole table',
    sql: `${notes}${own} revoke select on app.notes from asker;`,
    asked: { action: 'update' },
    client: 'update app.notes set body = default',
    verdict: 'depends',
    decided_by: 'policies',
    says: /a statement with a `where` is refused; this is about one without/,
  },
  {
    name: 'an update whose policy fails on one row',
    sql: `${notes}${everybody} create policy divides on app.notes for update using (1 / (id - 3) > -5);`,
    asked: { action: 'update' },
    client: 'update app.notes set body = body where id is not null',
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes divides'],
  },
  {
    name: 'an update whose with check calls what may not be executed',
    sql: `${notes}${everybody} create function app.fits(text) returns boolean language sql as 'select true';
      revoke execute on function app.fits(text) from public;
      create policy fits on app.notes for update using (true) with check (app.fits(body));`,
    asked: { action: 'update', row: '1', set: '{"body": "x"}' },
    client: `update app.notes set body = 'x' where id = 1`,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes fits'],
    says: /grant execute on function app\.fits\(text\) to asker/,
  },
  {
    name: 'an update that leaves a row which is not seen',
    sql: `${notes} create policy seen on app.notes for select using (owner = 'ada'); create policy changed on app.notes for update using (true) with check (true);`,
    asked: { action: 'update', row: '1', set: '{"owner": "grace"}' },
    client: `update app.notes set owner = 'grace' where id = 1`,
    verdict: 'no',
    decided_by: 'policies',
    says: /it become a row that is not seen/,
  },
  {
    name: 'a trigger makes of a row what the policies let through',
    sql: `${notes}${everybody} create policy own on app.notes for update using (true) with check (owner = 'ada');
      create function app.keep() returns trigger language plpgsql as 'begin new.owner := ''ada''; return new; end';
      create trigger keep before update on app.notes for each row execute function app.keep();`,
    asked: { action: 'update', row: '1', set: '{"owner": "grace"}' },
    client: `update app.notes set owner = 'grace' where id = 1`,
    verdict: 'yes',
    decided_by: 'policies',
  },
  {
    name: 'a trigger raises',
    sql: `${notes}${everybody}${own}
      create function app.refuse() returns trigger language plpgsql as 'begin raise exception ''closed for today''; end';
      create trigger refuse before update on app.notes for each row execute function app.refuse();`,
    asked: { action: 'update' },
    client: 'update app.notes set body = body where id is not null',
    verdict: 'no',
    decided_by: 'postgres',
    says: /^asker cannot change any row of app\.notes: Postgres fails: closed for today \(P0001\)/,
  },
  {
    name: 'one row of a table under a domain without null, an enum and a composite type',
    sql: `create domain app.filled as text not null; create type app.mood as enum ('well', 'ill');
      create type app.price as (amount numeric, currency text);
      create table app.notes (id app.mood primary key, owner app.filled, price app.price, tags text[]);
      insert into app.notes values ('well', 'ada', (1, 'EUR'), array['a']);
      alter table app.notes enable row level security;
      create policy own on app.notes using (owner = 'ada' and (price).amount > 0 and tags[1] = 'a');
      grant select, insert, update on app.notes to asker;`,
    asked: {
      action: 'update',
      row: 'well',
      set: '{"price": {"amount": -1, "currency": "EUR"}, "tags": ["a", "b,c"]}',
    },
    client: `update app.notes set price = row(-1, 'EUR') where id = 'well'`,
    verdict: 'no',
    decided_by: 'policies',
  },
  {
    name: 'an update that lets a foreign key wait for the commit',
    sql: `${notes}${everybody}${own} create table app.owners (name text primary key); insert into app.owners values ('ada'), ('grace');
      alter table app.notes add foreign key (owner) references app.owners deferrable initially deferred;
      create policy all_of_them on app.notes for update using (true);`,
    asked: { action: 'update', row: '1', set: '{"owner": "nobody"}' },
    client: `update app.notes set owner = 'nobody' where id = 1`,
    verdict: 'no',
    decided_by: 'postgres',
  },
  {
    name: 'an update of a view that cannot be updated',
    sql: `${notes} create view app.counted as select owner, count(*) as n from app.notes group by owner; grant select, update on app.counted to asker;`,
    asked: { action: 'update', table: 'app.counted' },
    client: `update app.counted set owner = 'x'`,
    verdict: 'no',
    decided_by: 'postgres',
  },
  {
    name: 'a table whose rule does nothing instead',
    sql: `${notes}${own} create rule nothing as on update to app.notes do instead nothing;`,
    asked: { action: 'update', row: '1', set: '{"body": "x"}' },
    client: `update app.notes set body = 'x' where id = 1`,
    verdict: 'no',
    decided_by: 'postgres',
    says: /Note: The rule nothing makes something else of it, instead/,
  },
]

const deletes: Situation[] = [
  {
    name: 'a delete comes to some of the rows',
    sql: notes + everybody + own,
    asked: { action: 'delete' },
    client: 'delete from app.notes where id is not null',
    verdict: 'depends',
    decided_by: 'policies',
  },
  {
    name: 'a delete that others refer to, some of them',
    sql: `${notes} create policy everything on app.notes using (true);
      create table app.comments (note_id int references app.notes); insert into app.comments values (1);`,
    asked: { action: 'delete', row: '2' },
    client: 'delete from app.notes where id = 2',
    verdict: 'yes',
    decided_by: 'policies',
  },
  {
    name: 'a delete that others refer to, this one',
    sql: `${notes} create policy everything on app.notes using (true);
      create table app.comments (note_id int references app.notes); insert into app.comments values (1);`,
    asked: { action: 'delete', row: '1' },
    client: 'delete from app.notes where id = 1',
    verdict: 'no',
    decided_by: 'postgres',
  },
  {
    name: 'a delete without a where, where the select policies let less through',
    sql: `${notes} create policy seen on app.notes for select using (owner = 'grace'); create policy gone on app.notes for delete using (true);`,
    asked: { action: 'delete' },
    client: 'delete from app.notes',
    verdict: 'yes',
    decided_by: 'policies',
    says: /^asker can delete every row of app\.notes[\s\S]*One with a `where` comes to 1 row\./,
  },
  {
    name: 'a delete that is not granted',
    sql: `${notes}${own} revoke delete on app.notes from asker;`,
    asked: { action: 'delete' },
    client: 'delete from app.notes where id = 1',
    verdict: 'no',
    decided_by: 'grant',
    says: /grant delete on app\.notes to asker/,
  },
  {
    name: 'a delete of what may not be selected, though it may be deleted',
    sql: `${notes} create policy gone on app.notes for delete using (true);`,
    asked: { action: 'delete', row: '1' },
    client: 'delete from app.notes where id = 1',
    verdict: 'no',
    decided_by: 'no_policy',
  },
  {
    name: 'a delete without select, of the whole table',
    sql: `${notes} create policy gone on app.notes for delete using (owner = 'grace'); revoke select on app.notes from asker;`,
    asked: { action: 'delete' },
    client: 'delete from app.notes',
    verdict: 'depends',
    decided_by: 'policies',
    says: /No column of app\.notes may be read/,
  },
]

const insert = (row: object): Situation['asked'] => ({ action: 'insert', row: JSON.stringify(row) })
const inserts: Situation[] = [
  {
    name: 'an insert of what may be seen',
    sql: notes + own,
    asked: insert({ id: 7, body: 'x' }),
    client: `insert into app.notes (id, body) values (7, 'x') returning *`,
    verdict: 'yes',
    decided_by: 'policies',
  },
  {
    name: 'an insert of what may not be seen, without returning',
    sql: `${notes} create policy seen on app.notes for select using (owner = 'ada'); create policy made on app.notes for insert with check (true);`,
    asked: insert({ id: 7, owner: 'grace' }),
    client: `insert into app.notes (id, owner) values (7, 'grace')`,
    verdict: 'yes',
    decided_by: 'policies',
    says: /\nBut with `returning`, as many API servers and libraries send it, it fails: new row violates row-level security policy for table "notes" \(42501\)\./,
  },
  {
    name: 'an insert without the grant to read, without returning',
    sql: `${notes} revoke select on app.notes from asker; create policy made on app.notes for insert with check (true);`,
    asked: insert({ id: 7, owner: 'grace' }),
    client: `insert into app.notes (id, owner) values (7, 'grace')`,
    verdict: 'yes',
    decided_by: 'policies',
    says: /But with `returning`.*permission denied for table notes/,
  },
  {
    name: 'an insert that may be no upsert',
    sql: `${notes} revoke update on app.notes from asker; create policy everything on app.notes using (true);`,
    asked: insert({ id: 7, body: 'x' }),
    client: `insert into app.notes (id, body) values (7, 'x')`,
    verdict: 'yes',
    decided_by: 'policies',
    says: /\n {2}… on conflict do nothing: 1 row\n {2}… on conflict do update: permission denied for table notes/,
  },
  {
    name: 'an insert that no policy lets through',
    sql: notes + own,
    asked: insert({ id: 7, owner: 'grace' }),
    client: `insert into app.notes (id, owner) values (7, 'grace')`,
    verdict: 'no',
    decided_by: 'policies',
  },
  {
    name: 'an insert that is there already',
    sql: notes + own,
    asked: insert({ id: 1 }),
    client: 'insert into app.notes (id) values (1)',
    verdict: 'no',
    decided_by: 'postgres',
  },
  {
    name: 'an insert of a row whose key comes from a sequence, which its policy asks for',
    sql: `create table app.notes (id int generated always as identity primary key, body text);
      alter table app.notes enable row level security; create policy positive on app.notes using (id > 0);
      grant select, insert (body) on app.notes to asker;`,
    asked: insert({ body: 'x' }),
    client: `insert into app.notes (body) values ('x')`,
    verdict: 'yes',
    decided_by: 'policies',
    says: /a number of a sequence, was not known when the policies were asked/,
  },
  {
    name: 'an insert that gives a value to what is always generated',
    sql: `create table app.notes (id int generated always as identity primary key, body text); grant insert, select on app.notes to asker;`,
    asked: insert({ id: 1, body: 'x' }),
    client: `insert into app.notes (id, body) values (1, 'x')`,
    verdict: 'no',
    decided_by: 'postgres',
  },
  {
    name: 'an insert whose default may not be computed',
    sql: `create function app.code() returns text language sql as 'select ''c'''; revoke execute on function app.code() from public;
      create table app.notes (id int primary key, code text default app.code()); grant insert, select on app.notes to asker;`,
    asked: insert({ id: 1 }),
    client: 'insert into app.notes (id) values (1)',
    verdict: 'no',
    decided_by: 'postgres',
  },
  {
    name: 'an insert without a row, whose policies go round',
    sql: `${notes} create policy round on app.notes for insert with check (true);
      create policy seen on app.notes for select using (exists (select from app.notes as other));
      create policy again on app.notes for insert with check (exists (select from app.notes as other));`,
    asked: { action: 'insert' },
    client: `insert into app.notes (id) values (7)`,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes seen'],
  },
  {
    name: 'an insert without a row, whose check calls what may not be executed',
    sql: `${notes} create function app.fits(text) returns boolean language plpgsql as 'begin return true; end';
      revoke execute on function app.fits(text) from public; create policy fits on app.notes with check (app.fits(body));`,
    asked: { action: 'insert' },
    client: `insert into app.notes (id) values (7)`,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes fits'],
  },
  {
    name: 'an insert without a row, where everything may be inserted',
    sql: `${notes} create policy anything on app.notes for insert with check (true);`,
    asked: { action: 'insert' },
    client: 'insert into app.notes (id) values (7)',
    verdict: 'yes',
    decided_by: 'policies',
  },
  {
    name: 'an insert without a row, and without any policy',
    sql: notes + everybody,
    asked: { action: 'insert' },
    client: 'insert into app.notes (id) values (7)',
    verdict: 'no',
    decided_by: 'no_policy',
  },
  {
    name: 'an insert is refused where the table takes a number that no policy reads',
    sql: `create table app.bills (id int generated always as identity, owner text); alter table app.bills enable row level security;
      grant select, insert on app.bills to asker; create policy mine on app.bills with check (owner = 'ada');`,
    asked: { table: 'app.bills', action: 'insert', row: '{"owner": "grace"}' },
    client: `insert into app.bills (owner) values ('grace')`,
    verdict: 'no',
    decided_by: 'policies',
    says: /^asker cannot insert this row into app\.bills: no policy lets this row be inserted\.\nmine asks \(owner = 'ada'::text\): false\.(?![\s\S]*number of a sequence)/,
  },
  {
    name: 'an insert is refused where a policy reads the number that it takes',
    sql: `create table app.bills (id int generated always as identity, owner text); alter table app.bills enable row level security;
      grant select, insert on app.bills to asker; create policy mine on app.bills with check (owner = 'ada' and id > 0);`,
    asked: { table: 'app.bills', action: 'insert', row: '{"owner": "grace"}' },
    client: `insert into app.bills (owner) values ('grace')`,
    verdict: 'no',
    decided_by: 'policies',
    says: /Note: What the row takes from a default, a number of a sequence/,
  },
  {
    name: 'any row may be inserted, and none is given',
    sql: `${notes} create policy every on app.notes with check (true);`,
    asked: { action: 'insert' },
    client: `insert into app.notes values (9, 'ada', 'x')`,
    verdict: 'yes',
    decided_by: 'policies',
    says: /^asker can insert rows into app\.notes: every asks nothing of a row\./,
  },
  {
    name: 'a trigger leaves all rows out, where row-level security is off',
    sql: `${notes} alter table app.notes disable row level security;
      create function app.keep() returns trigger language plpgsql as 'begin return null; end';
      create trigger keep before delete on app.notes for each row execute function app.keep();`,
    asked: { action: 'delete' },
    client: 'delete from app.notes where id is not null',
    verdict: 'no',
    decided_by: 'postgres',
    says: /^asker cannot delete any row of app\.notes: Postgres says so when it is tried: 0 rows, though no policy keeps any back\.[\s\S]*Note: A trigger of app\.notes/,
  },
  {
    name: 'a policy for updates reads its own table, and that for reading something else',
    sql: `${notes} create table app.other (id int); grant select on app.other to asker;
      create policy seen on app.notes for select using (id in (select id from app.other));
      create policy round on app.notes for update using (id in (select id from app.notes));`,
    asked: { action: 'update' },
    client: `update app.notes set body = body where id is not null`,
    verdict: 'no',
    decided_by: 'postgres',
    policies: ['app.notes round'],
    says: /from the policy round: infinite recursion/,
  },
]

export const writings: Situation[] = [...updates, ...deletes, ...inserts]
