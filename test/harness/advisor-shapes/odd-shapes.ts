import { type AdvisorShape, plainOwner } from './shape.ts'

const long = 'n'.repeat(63)
const odd = `O'Brien "quoted" \\ {b} $1 é 漢 -- ;`
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Names that Postgres allows and nobody expects, and as many holes as fit. */
export const oddNames: AdvisorShape = {
  name: 'odd names everywhere, and everything open',
  presets: [],
  owner: 'Odd "Owner"',
  before: plainOwner(
    '"Odd ""Owner"""',
    `create role "public role" login password 'x'; create role "PUBLIC" login password 'x'; create role ${quoted(`ünïcode'${'x'.repeat(40)}`)};
     create role "a=r/b,{c}" login password 'x'; grant ${quoted(`ünïcode'${'x'.repeat(40)}`)} to "public role";
     grant create on schema public to "Odd ""Owner""";`,
  ),
  sql: `
    create schema "select"; create schema ${quoted(odd)}; create schema ${long}; create schema " "; create schema "Schema.With.Dots";
    create type "select".kind as enum ('a,b', 'it''s', '"');
    create domain " "." " as int;
    create type "select".pair as ("Left" int, "right.side" text);
    do $do$ declare s text; begin
      foreach s in array array['select', $q$${odd}$q$, '${long}', ' ', 'Schema.With.Dots'] loop
        execute format('grant usage, create on schema %I to "public role", "PUBLIC", "a=r/b,{c}"', s);
        execute format('grant usage on schema %I to public', s);
        execute format('create table %I."table" ("user" int primary key generated always as identity, "a b" text, %I text unique, "when" timestamptz default now(), "select" int references %I."table")', s, $q$${odd}$q$, s);
        execute format('create table %I.%I (${long.replaceAll('n', 'c')} int, " " int, "é" "select".pair, kind "select".kind)', s, $q$${odd}$q$);
        execute format('alter table %I."table" enable row level security', s);
        execute format('create policy %I on %I."table" using ("a b" = current_setting(''request.user'') or "select" = "select")', $q$${odd}$q$, s);
        execute format('create policy ${long} on %I."table" for update to public using (true) with check (random() > 0.5)', s);
        execute format('grant all on %I."table" to public', s);
        execute format('grant select (%I, " "), update ("é") on %I.%I to "a=r/b,{c}" with grant option', '${long.replaceAll('n', 'c')}', s, $q$${odd}$q$);
        execute format('create view %I."view" as select * from %I."table"', s, s);
        execute format('grant select, update on %I."view" to "PUBLIC"', s);
        execute format('create function %I."f(x)"("in" int, variadic "a b" text[] default ''{}'') returns text language plpgsql security definer as $f$ declare "r" text; begin execute "a b"[1] into "r"; return "r"; end $f$', s);
        execute format('create function %I."f(x)"(%I."table") returns int language sql as $f$ select $1."user" $f$', s, s);
        execute format('create procedure %I."do it"(inout x int) language plpgsql as $f$ begin commit; end $f$', s);
        execute format('create sequence %I."Seq"', s);
        execute format('grant all on sequence %I."Seq" to public', s);
        execute format('create rule "a rule" as on insert to %I."view" do instead insert into %I."table" ("a b") values (new."a b")', s, s);
        execute format('create trigger "a trigger" before update on %I."table" for each row when (old.* is distinct from new.*) execute function suppress_redundant_updates_trigger()', s);
        execute format('comment on table %I."table" is %L', s, E'@omit\\nIt''s; -- \\\\ "');
      end loop;
    end $do$;
    create index "an index" on "select"."table" (("a b" || '"'), "when" desc) where "user" > 0;
    create index "the same again" on "select"."table" (("a b" || '"'), "when" desc) where "user" > 0;
    create operator "select".=== (leftarg = int, rightarg = int, function = int4eq);
    create function public.empty() returns void language sql begin atomic end;
    create function "select".atomic(a int) returns setof "select"."table" language sql stable begin atomic select * from "select"."table" where "user" operator("select".===) a; end;
    create table "select"."no columns" ();
    grant select, insert on "select"."no columns" to "PUBLIC";
    alter default privileges in schema "select" grant all on tables to "public role";`,
}

/** What is no table and no policy: a publication, rules in both directions, sequences, a table of a type, several levels of partitions. */
export const wayRound: AdvisorShape = {
  name: 'ways round policies, of every kind',
  presets: [],
  owner: 'round_owner',
  before: plainOwner(
    'round_owner',
    `create role visitor login noinherit password 'x'; create role member; create role boss bypassrls; grant member to visitor; grant boss to member;
     do $$ begin execute format('grant create on database %I to round_owner', current_database()); end $$;`,
  ),
  sql: `
    create schema way; grant usage on schema way to visitor, member;
    create function way.me() returns int language sql stable as $$ select current_setting('way.me', true)::int $$;
    create table way.secrets (id int primary key, owner int not null, body text);
    alter table way.secrets enable row level security;
    create policy own on way.secrets to visitor, member using (owner = way.me());
    grant select, insert, update, delete on way.secrets to visitor, member;
    create view way.all_secrets as select * from way.secrets; grant select on way.all_secrets to member;
    create view way.of_view as select id, body from way.all_secrets; grant select, update on way.of_view to visitor;
    create materialized view way.kept as select * from way.secrets; grant select on way.kept to visitor;
    create table way.inbox (id int, body text); grant insert, select on way.inbox to visitor;
    create rule copies as on insert to way.inbox do also update way.secrets set body = new.body where id = new.id;
    create table way.by_time (id int, owner int, at date) partition by range (at);
    create table way.by_time_2025 partition of way.by_time for values from ('2025-01-01') to ('2026-01-01') partition by list (owner);
    create table way.by_time_2025_1 partition of way.by_time_2025 for values in (1);
    alter table way.by_time enable row level security; create policy own on way.by_time to visitor using (owner = way.me());
    grant select on way.by_time, way.by_time_2025, way.by_time_2025_1 to visitor;
    create table way.child () inherits (way.secrets); grant select on way.child to visitor;
    create type way.row_type as (id int, body text); create table way.typed of way.row_type (primary key (id)); grant select on way.typed to visitor;
    create sequence way.numbers; grant all on sequence way.numbers to visitor;
    create function way.run(text) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$ begin execute $1; end $$;
    create function way.read(id int) returns way.secrets language sql security definer as $$ select * from way.secrets s where s.id = read.id $$;
    grant execute on function way.run, way.read to visitor;
    create function way.leak() returns trigger language plpgsql security definer as $$ begin raise notice '%', new; return new; end $$;
    create trigger leaks before insert on way.inbox for each row execute function way.leak();
    create function way.less(a text, b text) returns boolean language plpgsql cost 0.0001 as $$ begin raise notice '%', a; return true; end $$;
    create operator way.<<< (leftarg = text, rightarg = text, function = way.less);
    create policy volatile_one on way.secrets for select to member using (body operator(way.<<<) 'x' or random() < 0);
    create policy never on way.secrets for update to visitor using (owner = 1) with check (owner = 2);
    create policy recursion on way.by_time_2025 for select to visitor using (exists (select from way.by_time_2025 b where b.owner = way.me()));
    alter table way.by_time_2025 enable row level security;
    create publication everything for table way.secrets;
    alter default privileges in schema way grant select on tables to public;
    create table way.open_by_default (id int primary key);`,
}
