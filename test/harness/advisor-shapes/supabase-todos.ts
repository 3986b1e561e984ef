import type { AdvisorShape } from './shape.ts'
import { supabaseBefore, supabaseOwner } from './supabase-ground.ts'

/** Lists of things to do with profiles, as their guides say it is done today: `to`, `(select auth.uid())`, indexes. */
export const supabaseTodos: AdvisorShape = {
  name: 'Supabase: todos and profiles, by the guides',
  presets: ['supabase'],
  owner: supabaseOwner,
  before: supabaseBefore,
  isSound: true,
  sql: `
    create table public.profiles (
      id uuid primary key references auth.users on delete cascade,
      handle text unique check (length(handle) >= 3), full_name text, avatar_url text, updated_at timestamptz
    );
    alter table public.profiles enable row level security;
    create policy "Everybody signed in sees profiles" on public.profiles for select to authenticated using (true);
    create policy "One makes one's own profile" on public.profiles for insert to authenticated
      with check ((select auth.uid()) = id);
    create policy "One changes one's own profile" on public.profiles for update to authenticated
      using ((select auth.uid()) = id) with check ((select auth.uid()) = id);

    create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = '' as $$
    begin
      insert into public.profiles (id, full_name) values (new.id, new.raw_user_meta_data ->> 'full_name');
      return new;
    end $$;
    revoke execute on function public.handle_new_user from public, anon, authenticated;

    create table public.lists (
      id bigint primary key generated always as identity,
      user_id uuid not null default auth.uid() references auth.users on delete cascade,
      title text not null, created_at timestamptz not null default now()
    );
    create index on public.lists (user_id);
    alter table public.lists enable row level security;
    create policy "Own lists" on public.lists to authenticated
      using ((select auth.uid()) = user_id) with check ((select auth.uid()) = user_id);

    create table public.todos (
      id bigint primary key generated always as identity,
      list_id bigint not null references public.lists on delete cascade,
      user_id uuid not null default auth.uid() references auth.users on delete cascade,
      task text check (char_length(task) > 3), is_complete boolean not null default false,
      inserted_at timestamptz not null default now()
    );
    create index on public.todos (list_id);
    create index on public.todos (user_id);
    alter table public.todos enable row level security;
    create policy "Own todos are seen" on public.todos for select to authenticated using ((select auth.uid()) = user_id);
    create policy "Own todos are made" on public.todos for insert to authenticated with check (
      (select auth.uid()) = user_id
      and list_id in (select id from public.lists where lists.user_id = (select auth.uid())));
    create policy "Own todos are changed" on public.todos for update to authenticated
      using ((select auth.uid()) = user_id) with check (
        (select auth.uid()) = user_id
        and list_id in (select id from public.lists where lists.user_id = (select auth.uid())));
    create policy "Own todos are deleted" on public.todos for delete to authenticated using ((select auth.uid()) = user_id);

    create table public.countries (code char(2) primary key, name text not null);
    alter table public.countries enable row level security;
    create policy "Countries are for everybody" on public.countries for select to anon, authenticated using (true);
    insert into public.countries values ('pt', 'Portugal'), ('tg', 'Togo');

    create view public.open_todos with (security_invoker = on) as
      select id, list_id, task from public.todos where not is_complete;
    create function public.count_open(for_list bigint) returns bigint language sql stable set search_path = '' as $$
      select count(*) from public.todos where list_id = for_list and not is_complete $$;
    insert into auth.users (id, email) values ('00000000-0000-0000-0000-000000000001', 'ada@example.com');
    insert into public.lists (user_id, title) values ('00000000-0000-0000-0000-000000000001', 'Shopping');`,
}
