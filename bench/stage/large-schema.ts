import { accessOf } from './large-schema-access.ts'
import { GROUPS, roleOf, SCHEMAS, type SchemaSize, schemaOf } from './large-schema-size.ts'
import { tableOf } from './large-schema-tables.ts'

/** How many statements' worth of tables are sent at once. */
const AT_ONCE = 25

/**
 * A schema as an application of many years has it, in pieces to be run one after the other by a superuser. The same for the
 * same size, and four times as large with four times the size: what there is for each table is the same.
 */
export function largeSchema(size: SchemaSize): string[] {
  const tables = Array.from({ length: size.tables }, (_, index) => index)
  const pieces = [...rolesOf(size), base(size)]
  for (let start = 0; start < tables.length; start += AT_ONCE) {
    const some = tables.slice(start, start + AT_ONCE)
    pieces.push(some.map((table) => tableOf(table)).join('\n'))
    pieces.push(some.map((table) => accessOf(table, size)).join('\n'))
  }
  return pieces
}

/** Ten groups, of which all others are members, a third of them only by `set role`; a third of the others log in. */
function rolesOf({ roles }: SchemaSize): string[] {
  const groups = Math.min(GROUPS, roles)
  const lines = Array.from({ length: roles }, (_, number) => {
    const isGroup = number < groups
    const attributes = `${!isGroup && number % 3 === 0 ? 'login' : 'nologin'} ${number % 3 === 1 ? 'noinherit' : 'inherit'}`
    const memberships = isGroup
      ? number > 0 && number % 2 === 0
        ? `grant ${roleOf(0)} to ${roleOf(number)};`
        : ''
      : `grant ${roleOf(number % groups)} to ${roleOf(number)};`
    return `create role ${roleOf(number)} ${attributes}; ${memberships}`
  })
  return [lines.join('\n')]
}

const groupNames = Array.from({ length: GROUPS }, (_, role) => roleOf(role)).join(', ')

/** What all tables share: who asks, who belongs to which team, and whom the schemas are open to. */
const base = ({ roles }: SchemaSize): string => `
  create schema bench_base;
  create type bench_base.visibility as enum ('private', 'team', 'everybody');
  create domain bench_base.email as text check (value like '%@%');
  create type bench_base.money_of as (amount numeric, currency text);
  create table bench_base.users (id uuid primary key default gen_random_uuid(), email bench_base.email unique);
  create table bench_base.teams (id bigint primary key generated always as identity, name text not null);
  create table bench_base.memberships (
    team_id bigint not null references bench_base.teams on delete cascade,
    user_id uuid not null references bench_base.users on delete cascade,
    role text not null default 'member', primary key (team_id, user_id));
  create index on bench_base.memberships (user_id);
  alter table bench_base.users enable row level security;
  alter table bench_base.teams enable row level security;
  alter table bench_base.memberships enable row level security;
  create function bench_base.current_user_id() returns uuid language sql stable parallel safe
    as $$ select nullif(current_setting('bench.user_id', true), '')::uuid $$;
  create function bench_base.team_ids() returns setof bigint language plpgsql stable security definer
    set search_path = pg_catalog, pg_temp as $$
    begin return query select m.team_id from bench_base.memberships as m
      where m.user_id = (select bench_base.current_user_id()); end $$;
  create function bench_base.touch() returns trigger language plpgsql as $$
    begin new.updated_at = now(); return new; end $$;
  create policy memberships_own on bench_base.memberships for select to ${groupNames}
    using (user_id = (select bench_base.current_user_id()));
  create policy teams_all on bench_base.teams for select to ${groupNames} using (true);
  create policy users_own on bench_base.users for select to ${groupNames} using (id = (select bench_base.current_user_id()));
  grant usage on schema bench_base to public;
  grant select on bench_base.memberships, bench_base.teams, bench_base.users to ${groupNames};
  ${Array.from(
    { length: SCHEMAS },
    (_, schema) => `create schema ${schemaOf(schema)};
  grant usage on schema ${schemaOf(schema)} to ${Array.from({ length: roles }, (_, role) => roleOf(role)).join(', ')};`,
  ).join('\n')}`
