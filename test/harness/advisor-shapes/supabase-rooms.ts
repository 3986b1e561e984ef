import type { AdvisorShape } from './shape.ts'
import { supabaseBefore, supabaseOwner } from './supabase-ground.ts'

/** Rooms with members and messages over realtime, files in storage: helpers in a schema of their own, as their guides say. */
export const supabaseRooms: AdvisorShape = {
  name: 'Supabase: rooms, realtime and files, by the guides',
  presets: ['supabase'],
  owner: supabaseOwner,
  before: `${supabaseBefore}
    set role supabase_storage_admin;
    insert into storage.buckets values ('avatars', 'avatars', true), ('files', 'files', false);
    create policy "Own folder is read" on storage.objects for select to authenticated
      using (bucket_id = 'files' and (storage.foldername(name))[1] = (select auth.uid())::text);
    create policy "Own folder is written" on storage.objects for insert to authenticated
      with check (bucket_id = 'files' and (storage.foldername(name))[1] = (select auth.uid())::text);
    reset role;`,
  gravest: 'style',
  sql: `
    create schema private;
    grant usage on schema private to authenticated;
    create table public.rooms (id uuid primary key default gen_random_uuid(), title text not null, created_by uuid not null default auth.uid() references auth.users on delete cascade);
    create index on public.rooms (created_by);
    create table public.room_members (
      room_id uuid not null references public.rooms on delete cascade, user_id uuid not null references auth.users on delete cascade,
      joined_at timestamptz not null default now(), primary key (room_id, user_id)
    );
    create index on public.room_members (user_id);
    create table public.room_messages (
      id bigint primary key generated always as identity, room_id uuid not null references public.rooms on delete cascade,
      author uuid not null default auth.uid() references auth.users on delete cascade, body text not null, sent_at timestamptz not null default now()
    );
    create index on public.room_messages (room_id, sent_at);
    create index on public.room_messages (author);
    create function private.rooms_of_user() returns setof uuid language plpgsql stable security definer set search_path = '' as $$
    begin return query select m.room_id from public.room_members as m where m.user_id = (select auth.uid()); end $$;
    revoke execute on function private.rooms_of_user from public;
    grant execute on function private.rooms_of_user to authenticated;
    alter table public.rooms enable row level security;
    alter table public.room_members enable row level security;
    alter table public.room_messages enable row level security;
    create policy "Members see their rooms" on public.rooms for select to authenticated
      using (id in (select private.rooms_of_user()) or created_by = (select auth.uid()));
    create policy "Rooms are made by those who are signed in" on public.rooms for insert to authenticated with check (created_by = (select auth.uid()));
    create policy "Members see each other" on public.room_members for select to authenticated using (room_id in (select private.rooms_of_user()));
    create policy "Whoever made a room invites" on public.room_members for insert to authenticated with check (exists (
      select 1 from public.rooms as r where r.id = room_members.room_id and r.created_by = (select auth.uid())));
    create policy "Members read" on public.room_messages for select to authenticated using (room_id in (select private.rooms_of_user()));
    create policy "Members write" on public.room_messages for insert to authenticated
      with check (author = (select auth.uid()) and room_id in (select private.rooms_of_user()));
    alter publication supabase_realtime add table public.room_messages;`,
}
