import { type AdvisorShape, plainOwner } from './shape.ts'

const roles = `
  create role authenticator login noinherit password 'authenticator';
  create role web_anon nologin;
  create role web_user nologin;
  grant web_anon, web_user to authenticator;`

/** An API of views and functions in front of a schema that nobody outside sees; who asks is in the token that PostgREST checked. */
export const postgrestApi: AdvisorShape = {
  name: 'PostgREST: an API schema before private tables, by its manual',
  presets: ['postgrest'],
  owner: 'api_owner',
  before: plainOwner('api_owner', roles),
  gravest: 'style',
  sql: `
    alter default privileges revoke execute on functions from public;
    create schema data;
    create schema api;
    grant usage on schema api to web_anon, web_user;
    grant usage on schema data to web_user;

    create function api.current_account() returns bigint language sql stable
      as $$ select (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'account')::bigint $$;
    grant execute on function api.current_account() to web_user;

    create table data.accounts (id bigint primary key generated always as identity, email text not null, pass text not null);
    create unique index on data.accounts (lower(email));
    alter table data.accounts enable row level security;
    create policy accounts_own on data.accounts for select to web_user using (id = (select api.current_account()));
    create policy accounts_for_owner on data.accounts to api_owner using (true);

    create table data.projects (
      id bigint primary key generated always as identity, account_id bigint not null references data.accounts on delete cascade,
      name text not null, started date
    );
    create index on data.projects (account_id);
    alter table data.projects enable row level security;
    create policy projects_own on data.projects to web_user
      using (account_id = (select api.current_account())) with check (account_id = (select api.current_account()));
    grant select, delete on data.projects to web_user;
    grant insert (account_id, name, started), update (name, started) on data.projects to web_user;

    create table data.tasks (
      id bigint primary key generated always as identity, project_id bigint not null references data.projects on delete cascade,
      title text not null, done boolean not null default false
    );
    create index on data.tasks (project_id);
    alter table data.tasks enable row level security;
    create policy tasks_of_own_projects on data.tasks to web_user
      using (exists (select from data.projects as p where p.id = tasks.project_id and p.account_id = (select api.current_account())))
      with check (exists (select from data.projects as p where p.id = tasks.project_id and p.account_id = (select api.current_account())));
    grant select, delete on data.tasks to web_user;
    grant insert (project_id, title, done), update (title, done) on data.tasks to web_user;

    create table data.announcements (id bigint primary key generated always as identity, body text not null, at timestamptz not null default now());
    alter table data.announcements enable row level security;
    create policy announcements_for_all on data.announcements for select to web_anon, web_user using (true);
    grant usage on schema data to web_anon;
    grant select on data.announcements to web_anon, web_user;

    create view api.projects with (security_invoker = on) as select id, account_id, name, started from data.projects;
    create view api.tasks with (security_invoker = on) as select id, project_id, title, done from data.tasks;
    create view api.announcements with (security_invoker = on) as select id, body, at from data.announcements;
    grant select, delete on api.projects, api.tasks to web_user;
    grant insert (account_id, name, started), update (name, started) on api.projects to web_user;
    grant insert (project_id, title, done), update (title, done) on api.tasks to web_user;
    grant select on api.announcements to web_anon, web_user;

    create function api.finish(task bigint) returns void language sql
      as $$ update api.tasks set done = true where id = finish.task $$;
    grant execute on function api.finish(bigint) to web_user;
    create function api.is_known(email text) returns boolean language plpgsql stable security definer
      set search_path = pg_catalog, pg_temp as $$
      begin return exists (select from data.accounts as a where lower(a.email) = lower(is_known.email)); end $$;
    grant execute on function api.is_known(text) to web_user;
    insert into data.accounts (email, pass) values ('ada@example.com', 'x');
    insert into data.projects (account_id, name) values (1, 'Engine');`,
}

/** As tests of API servers have it: every kind of thing in one schema, and all of it granted. */
export const postgrestFixtures: AdvisorShape = {
  name: 'PostgREST: everything in one schema, as fixtures have it',
  presets: ['postgrest'],
  owner: 'fixture_owner',
  before: plainOwner('fixture_owner', roles),
  sql: `
    create schema test; create schema private; create schema "تست";
    create domain private.color as text check (value ~ '^#[0-9a-f]{6}$');
    create type test.enum_menagerie_type as enum ('foo', 'bar');
    create type test.complex as (re double precision, im double precision);
    create table test.items (id bigserial primary key);
    create table test.clients (id integer primary key, name text not null);
    create table test.projects (id integer primary key, name text not null, client_id integer references test.clients (id));
    create table test.users (id integer primary key, name text not null, pass text);
    create table test.users_projects (user_id integer references test.users, project_id integer references test.projects, primary key (user_id, project_id));
    create table test.compound_pk (k1 integer not null, k2 integer not null, extra integer, primary key (k1, k2));
    create table test.menagerie (
      "integer" integer not null, double double precision not null, "varchar" character varying not null, "boolean" boolean not null,
      date date not null, money money not null, enum test.enum_menagerie_type not null, shade private.color, many int[][], point point, point_of test.complex
    );
    create table test."Escap3e;" (so6meIdColumn integer primary key);
    create table test."ghostBusters" (escapeId integer not null references test."Escap3e;" (so6meIdColumn));
    create table test.no_pk (a varchar, b varchar);
    create table test.nullable_integer (a integer);
    create unlogged table test.tsearch (text_search_vector tsvector);
    create index on test.tsearch using gin (text_search_vector);
    create table test.authors_only (owner text not null, secret text not null primary key);
    alter table test.authors_only enable row level security;
    create policy only_own on test.authors_only using (owner = current_setting('request.jwt.claim.id', true));
    create table test.self_reference (id integer primary key, parent integer references test.self_reference);
    create table test.ranges (id integer primary key, range numrange, exclude using gist (range with &&));
    create table "تست"."موارد" ("هویت" integer primary key);
    create view test.projects_view as select * from test.projects;
    create view test.projects_view_alt as select id as t_id, name, client_id as t_client_id from test.projects;
    create materialized view test.materialized_projects as select * from test.projects;
    create view test.has_count as select client_id, count(*) as many from test.projects group by 1;
    create rule insert_view as on insert to test.has_count do instead insert into test.no_pk (a) values (new.client_id::text);
    create function test.insert_via_view() returns trigger language plpgsql as $$
      begin insert into test.items (id) values (new.t_id); return new; end $$;
    create trigger insert_via_view instead of insert on test.projects_view_alt for each row execute function test.insert_via_view();
    create function test.getitemrange(min bigint, max bigint) returns setof test.items language sql as $$ select * from test.items where id > $1 and id <= $2 $$;
    create function test.noparamsproc() returns text language sql as $$ select a from (values ('Return value of no parameters procedure.')) s(a) $$;
    create function test.raw_query(query text) returns json language plpgsql as $$
      declare answer json; begin execute query into answer; return answer; end $$;
    create function test.login(id text, pass text) returns json language sql security definer
      as $$ select row_to_json(r) from (select 'postgrest_test_author' as role, id) r $$;
    create function test.computed(test.projects) returns text language sql immutable as $$ select $1.name || '!' $$;
    create procedure test.unnamed() language sql as $$ select 1 $$;
    create aggregate test.maxmin(integer) (sfunc = int4pl, stype = integer, initcond = '0');
    create sequence test.callcounter_count start 1;
    create function test.callcounter() returns bigint language sql as $$ select nextval('test.callcounter_count') $$;
    grant usage on schema test, "تست" to web_anon, web_user;
    grant all on all tables in schema test to web_anon;
    grant all on all tables in schema "تست" to web_anon;
    grant all on all sequences in schema test to web_anon;
    revoke all on test.users from web_anon;
    grant select (id, name) on test.users to web_anon;
    grant all on test.authors_only to web_user;
    insert into test.clients values (1, 'Microsoft'); insert into test.projects values (1, 'Windows 7', 1);`,
}
