/**
 * A Postgres as Supabase's is laid out: its owner `postgres` is no superuser, and shares the database
 * with schemas, roles, default privileges and event triggers of somebody else's.
 */
import pg from 'pg'
import { type OtherPostgres, startOtherPostgres } from './other-postgres.ts'

export interface SupabaseLike {
  /** As `postgres`. */
  databaseUrl: string
  /** As `supabase_admin`. */
  superuserUrl: string
  server: OtherPostgres
}

export async function startSupabaseLike(binariesPackage: string): Promise<SupabaseLike> {
  const server = await startOtherPostgres(binariesPackage, 'supabase_admin')
  const superuser = new pg.Client({ connectionString: server.url.href })
  await superuser.connect()
  await superuser.query(layout)
  await superuser.end()
  const databaseUrl = new URL(server.url)
  databaseUrl.username = 'postgres'
  databaseUrl.password = 'owner'
  const owner = new pg.Client({ connectionString: databaseUrl.href })
  await owner.connect()
  await owner.query(defaultsInPublic)
  await owner.end()
  return { databaseUrl: databaseUrl.href, superuserUrl: server.url.href, server }
}

/** The roles of Supabase that a request may come as. */
export const strangers = ['anon', 'authenticated', 'service_role', 'authenticator'] as const

const defaultsInPublic = ['tables', 'functions', 'sequences']
  .map(
    (kind) =>
      `alter default privileges in schema public grant all on ${kind} to postgres, anon, authenticated, service_role;`,
  )
  .join('\n')

const layout = `
  create role postgres login nosuperuser createdb createrole replication bypassrls password 'owner';
  create role anon nologin noinherit;
  create role authenticated nologin noinherit;
  create role service_role nologin noinherit bypassrls;
  create role authenticator login noinherit password 'authenticator';
  create role supabase_auth_admin login noinherit createrole password 'auth';
  create role supabase_storage_admin login noinherit createrole password 'storage';
  create role dashboard_user nologin createdb createrole replication;
  grant anon, authenticated, service_role to authenticator;
  grant anon, authenticated, service_role to postgres with admin option;
  alter database postgres owner to postgres;
  alter role postgres set search_path to "$user", public, extensions;
  alter role anon set statement_timeout = '3s';
  alter role authenticator set session_preload_libraries = '';
  grant usage on schema public to postgres, anon, authenticated, service_role;
  grant all on schema public to postgres;
  ${defaultsInPublic}

  create schema extensions;
  create extension pgcrypto schema extensions;
  grant usage on schema extensions to postgres, anon, authenticated, service_role;

  create schema auth authorization supabase_auth_admin;
  grant usage on schema auth to postgres, anon, authenticated, service_role;
  create table auth.users (id uuid primary key, email text, encrypted_password text);
  create table auth.sessions (id uuid primary key, user_id uuid references auth.users);
  create table auth.schema_migrations (version text primary key);
  alter table auth.users owner to supabase_auth_admin;
  alter table auth.sessions owner to supabase_auth_admin;
  alter table auth.schema_migrations owner to supabase_auth_admin;
  grant all on auth.users, auth.sessions to postgres;
  create function auth.uid() returns uuid language sql stable as
    $$ select nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
  create function auth.role() returns text language sql stable as
    $$ select nullif(current_setting('request.jwt.claim.role', true), '') $$;

  create schema storage authorization supabase_storage_admin;
  create table storage.objects (id uuid primary key, owner uuid);
  alter table storage.objects owner to supabase_storage_admin, enable row level security;
  grant usage on schema storage to postgres, anon, authenticated, service_role;
  grant all on storage.objects to anon, authenticated, service_role, postgres;
  create schema realtime;
  create table realtime.messages (id bigint primary key);
  create publication supabase_realtime;
  create table public.profiles (id uuid primary key references auth.users, name text);
  alter table public.profiles owner to postgres, enable row level security;

  create table extensions.seen (tag text);
  create function extensions.see_ddl() returns event_trigger language plpgsql security definer
    set search_path = pg_catalog as $$
    begin
      insert into extensions.seen select distinct command_tag from pg_event_trigger_ddl_commands();
      notify pgrst, 'reload schema';
    end $$;
  create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.see_ddl();
  create function extensions.see_drop() returns event_trigger language plpgsql security definer
    set search_path = pg_catalog as $$ begin perform pg_event_trigger_dropped_objects(); end $$;
  create event trigger pgrst_drop_watch on sql_drop execute function extensions.see_drop();
`
