import { type AdvisorShape, plainOwner } from './shape.ts'

/** Three schemas, a role for visitors, sessions in a table, and smart comments, as starters for PostGraphile have it. */
export const graphileStarter: AdvisorShape = {
  name: 'PostGraphile: app_public, app_hidden, app_private',
  presets: [],
  owner: 'graphile_owner',
  before: plainOwner(
    'graphile_owner',
    `create role app_authenticator login noinherit password 'x'; create role app_visitor; grant app_visitor to app_authenticator;`,
  ),
  sql: `
    revoke all on schema public from public;
    alter default privileges revoke all on sequences from public;
    alter default privileges revoke all on functions from public;
    create schema app_public; create schema app_hidden; create schema app_private;
    grant usage on schema public, app_public, app_hidden to app_visitor;
    alter default privileges in schema public, app_public, app_hidden grant usage, select on sequences to app_visitor;
    alter default privileges in schema public, app_public, app_hidden grant execute on functions to app_visitor;
    create function app_private.tg__timestamps() returns trigger as $$
    begin
      new.created_at = (case when tg_op = 'INSERT' then now() else old.created_at end);
      new.updated_at = now();
      return new;
    end; $$ language plpgsql volatile set search_path to pg_catalog, public, pg_temp;

    create table app_private.sessions (
      uuid uuid not null default gen_random_uuid() primary key, user_id uuid not null,
      created_at timestamptz not null default now(), last_active timestamptz not null default now()
    );
    alter table app_private.sessions enable row level security;
    create function app_public.current_session_id() returns uuid as $$
      select nullif(pg_catalog.current_setting('jwt.claims.session_id', true), '')::uuid; $$ language sql stable;
    create function app_public.current_user_id() returns uuid as $$
      select user_id from app_private.sessions where uuid = app_public.current_session_id(); $$
      language sql stable security definer set search_path to pg_catalog, public, pg_temp;

    create table app_public.users (
      id uuid primary key default gen_random_uuid(), username text not null unique check (length(username) between 2 and 24),
      name text, avatar_url text check (avatar_url ~ '^https?://[^/]+'), is_admin boolean not null default false,
      is_verified boolean not null default false, created_at timestamptz not null default now(), updated_at timestamptz not null default now()
    );
    alter table app_private.sessions add constraint sessions_user_id_fkey foreign key (user_id) references app_public.users on delete cascade;
    create index on app_private.sessions (user_id);
    alter table app_public.users enable row level security;
    create policy select_all on app_public.users for select using (true);
    create policy update_self on app_public.users for update using (id = app_public.current_user_id());
    grant select on app_public.users to app_visitor;
    grant update (username, name, avatar_url) on app_public.users to app_visitor;
    comment on table app_public.users is E'@omit all\\nA user who can log in to the application.';
    comment on column app_public.users.is_admin is 'If true, the user has elevated privileges.';
    create trigger _100_timestamps before insert or update on app_public.users for each row execute procedure app_private.tg__timestamps();

    create table app_private.user_secrets (
      user_id uuid not null primary key references app_public.users on delete cascade, password_hash text,
      last_login_at timestamptz not null default now(), failed_password_attempts int not null default 0
    );
    alter table app_private.user_secrets enable row level security;
    create function app_private.tg_user_secrets__insert() returns trigger as $$
    begin
      insert into app_private.user_secrets (user_id) values (new.id);
      return new;
    end; $$ language plpgsql volatile set search_path to pg_catalog, public, pg_temp;
    create trigger _500_insert_secrets after insert on app_public.users for each row execute procedure app_private.tg_user_secrets__insert();

    create table app_public.organizations (
      id uuid primary key default gen_random_uuid(), slug text not null unique, name text not null, created_at timestamptz not null default now()
    );
    alter table app_public.organizations enable row level security;
    create table app_public.organization_memberships (
      id uuid primary key default gen_random_uuid(), organization_id uuid not null references app_public.organizations on delete cascade,
      user_id uuid not null references app_public.users on delete cascade, is_owner boolean not null default false,
      created_at timestamptz not null default now(), unique (organization_id, user_id)
    );
    alter table app_public.organization_memberships enable row level security;
    create index on app_public.organization_memberships (user_id);
    create function app_public.current_user_member_organization_ids() returns setof uuid as $$
      select organization_id from app_public.organization_memberships where user_id = app_public.current_user_id(); $$
      language sql stable security definer set search_path to pg_catalog, public, pg_temp;
    create policy select_member on app_public.organizations for select using (id in (select app_public.current_user_member_organization_ids()));
    create policy select_member on app_public.organization_memberships for select
      using (organization_id in (select app_public.current_user_member_organization_ids()));
    grant select on app_public.organizations, app_public.organization_memberships to app_visitor;
    create function app_public.create_organization(slug text, name text) returns app_public.organizations as $$
    declare v_org app_public.organizations;
    begin
      if app_public.current_user_id() is null then raise exception 'You must log in' using errcode = 'LOGIN'; end if;
      insert into app_public.organizations (slug, name) values (slug, name) returning * into v_org;
      insert into app_public.organization_memberships (organization_id, user_id, is_owner) values (v_org.id, app_public.current_user_id(), true);
      return v_org;
    end; $$ language plpgsql volatile security definer set search_path to pg_catalog, public, pg_temp;
    create function app_public.users_has_password(u app_public.users) returns boolean as $$
      select password_hash is not null from app_private.user_secrets where user_id = u.id and u.id = app_public.current_user_id(); $$
      language sql stable security definer set search_path to pg_catalog, public, pg_temp;
    create table app_hidden.jobs (id serial primary key, queue text default 'main', payload json default '{}');`,
}
