/**
 * What a project on Supabase finds when it begins: roles, `auth` and `storage` of somebody else's, and default privileges that
 * give everything new in `public` to the roles of the API.
 */
export const supabaseOwner = 'postgres'

export const supabaseBefore = `
  create role postgres login nosuperuser createdb createrole replication bypassrls password 'owner';
  create role anon nologin noinherit;
  create role authenticated nologin noinherit;
  create role service_role nologin noinherit bypassrls;
  create role authenticator login noinherit password 'authenticator';
  create role supabase_auth_admin login noinherit createrole password 'auth';
  create role supabase_storage_admin login noinherit createrole password 'storage';
  create role supabase_realtime_admin nologin noinherit;
  grant anon, authenticated, service_role to authenticator;
  grant anon, authenticated, service_role to postgres with admin option;
  do $$ begin execute format('alter database %I owner to postgres', current_database()); end $$;
  grant all on schema public to postgres;
  grant usage on schema public to anon, authenticated, service_role;
  alter default privileges in schema public grant all on tables to postgres, anon, authenticated, service_role;
  alter default privileges in schema public grant all on functions to postgres, anon, authenticated, service_role;
  alter default privileges in schema public grant all on sequences to postgres, anon, authenticated, service_role;
  alter default privileges for role postgres in schema public grant all on tables to postgres, anon, authenticated, service_role;
  alter default privileges for role postgres in schema public grant all on functions to postgres, anon, authenticated, service_role;
  alter default privileges for role postgres in schema public grant all on sequences to postgres, anon, authenticated, service_role;

  create schema extensions;
  grant usage on schema extensions to postgres, anon, authenticated, service_role;

  create schema auth authorization supabase_auth_admin;
  grant usage on schema auth to postgres, anon, authenticated, service_role, supabase_storage_admin;
  create table auth.users (
    id uuid primary key default gen_random_uuid(), email text unique, encrypted_password text, raw_user_meta_data jsonb,
    raw_app_meta_data jsonb, created_at timestamptz default now());
  create table auth.sessions (id uuid primary key, user_id uuid references auth.users on delete cascade);
  alter table auth.users owner to supabase_auth_admin, enable row level security;
  alter table auth.sessions owner to supabase_auth_admin, enable row level security;
  grant all on auth.users, auth.sessions to postgres;
  create function auth.uid() returns uuid language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
      nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
  create function auth.jwt() returns jsonb language sql stable as $$
    select nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;
  create function auth.role() returns text language sql stable as $$ select auth.jwt() ->> 'role' $$;
  create function auth.email() returns text language sql stable as $$ select auth.jwt() ->> 'email' $$;

  create schema storage authorization supabase_storage_admin;
  grant usage on schema storage to postgres, anon, authenticated, service_role;
  create table storage.buckets (id text primary key, name text not null, public boolean default false);
  create table storage.objects (
    id uuid primary key default gen_random_uuid(), bucket_id text references storage.buckets, name text, owner uuid,
    path_tokens text[] generated always as (string_to_array(name, '/')) stored);
  alter table storage.buckets owner to supabase_storage_admin, enable row level security;
  alter table storage.objects owner to supabase_storage_admin, enable row level security;
  grant all on storage.buckets, storage.objects to postgres, anon, authenticated, service_role;
  create function storage.foldername(name text) returns text[] language sql immutable as $$
    select (string_to_array(name, '/'))[1:array_length(string_to_array(name, '/'), 1) - 1] $$;

  create schema realtime;
  create table realtime.messages (id bigint primary key, topic text not null, extension text not null);
  alter table realtime.messages enable row level security;
  grant select, insert on realtime.messages to anon, authenticated;
  grant usage on schema realtime to anon, authenticated;
  create publication supabase_realtime;
  alter publication supabase_realtime owner to postgres;
`
