-- Notes that people keep, and share with each other to read or to write.
--
-- Everything that may be done with a note is said here, and holds for whoever asks: a route of this
-- application, GraphQL, or SQL that somebody has smuggled into a query. The routes only ask.
create schema notes;
grant usage on schema notes to webuser;
comment on schema notes is 'Notes, and with whom they are shared.';

create table notes.notes (
  id         uuid primary key default gen_random_uuid(),
  owner_id   uuid not null default pie_schema.current_user_id() references pie_schema.users (id) on delete cascade,
  title      text not null,
  body       text not null default '',
  -- Milliseconds, as far as JavaScript counts: pages of the list begin at a time that it has been told.
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  constraint notes_title_length check (char_length(title) between 1 and 200),
  constraint notes_body_length check (char_length(body) <= 10000)
);
-- A policy is a condition of every query: what it compares is indexed, and here in the order of the lists.
create index notes_owner_id_idx on notes.notes (owner_id, created_at desc, id desc);
create index notes_created_at_idx on notes.notes (created_at desc, id desc);

create table notes.shares (
  note_id uuid not null references notes.notes (id) on delete cascade,
  user_id uuid not null references pie_schema.users (id) on delete cascade,
  access  text not null,
  primary key (note_id, user_id),
  constraint shares_access_is_known check (access in ('read', 'write'))
);
create index shares_user_id_idx on notes.shares (user_id);

create function notes.touch() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := now();
  return new;
end
$$;
revoke execute on function notes.touch() from public;
create trigger notes_touch before update on notes.notes for each row execute function notes.touch();

-- Who sees a note depends on its shares, and who sees a share on its note. Written as two policies that
-- read each other's table, each would ask the other for ever, and Postgres refuses (42P17). So one of them
-- asks this function, which reads the shares as its owner (security definer), past their policy. It takes
-- nothing from its caller but a word, and tells only of the session's own user. The fixed search_path is
-- what keeps a caller from putting a table of their own in the place of ours (CVE-2018-1058).
create function notes.shared_with_me(least_access text) returns setof uuid
  language plpgsql stable security definer rows 10
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select shares.note_id
    from notes.shares
    where shares.user_id = (select pie_schema.current_user_id())
      and (shares.access = 'write' or least_access = 'read');
end
$$;
revoke execute on function notes.shared_with_me(text) from public;
grant execute on function notes.shared_with_me(text) to webuser;

-- Without a policy, nobody sees anything: also the owner of the tables, on whom it is forced. The owner
-- makes the welcome note, and reads the shares in the function above.
alter table notes.notes enable row level security;
alter table notes.notes force row level security;
alter table notes.shares enable row level security;
alter table notes.shares force row level security;
create policy notes_for_owner on notes.notes to current_user using (true) with check (true);
create policy shares_for_owner on notes.shares to current_user using (true) with check (true);

-- In (select …) and array (select …), a function is asked once for the whole query instead of once for
-- each row, and the index is used for its answer.

-- A note is seen by whoever owns it or has a share in it. An admin sees every note; being webadmin is not
-- enough for that: the session's user must be an admin.
create policy notes_see on notes.notes for select to webuser using (
  owner_id = (select pie_schema.current_user_id()) or id = any (array (select notes.shared_with_me('read')))
);
create policy notes_see_admin on notes.notes for select to webadmin using ((select pie_schema.has_role('admin')));
-- A new note is one's own.
create policy notes_add on notes.notes for insert to webuser
  with check (owner_id = (select pie_schema.current_user_id()));
-- It is edited by whoever owns it or has it to write.
create policy notes_edit on notes.notes for update to webuser using (
  owner_id = (select pie_schema.current_user_id()) or id = any (array (select notes.shared_with_me('write')))
);
-- It is deleted by its owner alone.
create policy notes_delete on notes.notes for delete to webuser
  using (owner_id = (select pie_schema.current_user_id()));

-- A share is given, seen, changed and taken back by the note's owner.
create policy shares_give on notes.shares to webuser using (
  exists (
    select from notes.notes
    where notes.id = shares.note_id and notes.owner_id = (select pie_schema.current_user_id())
  )
);
-- It is seen, and given back, by whoever it is for. An admin sees all.
create policy shares_see on notes.shares for select to webuser
  using (user_id = (select pie_schema.current_user_id()));
create policy shares_give_back on notes.shares for delete to webuser
  using (user_id = (select pie_schema.current_user_id()));
create policy shares_see_admin on notes.shares for select to webadmin using ((select pie_schema.has_role('admin')));

-- Which rows, the policies say; which columns, the grants. webadmin has what webuser has. Not granted:
-- a note's id, owner and times, which nobody writes; moving a share to another note or person.
grant select, delete on notes.notes, notes.shares to webuser;
grant insert (title, body), update (title, body) on notes.notes to webuser;
grant insert (note_id, user_id, access), update (access) on notes.shares to webuser;

-- Pie calls this whenever somebody has signed up.
create function pie_hooks.after_user_created(user_id uuid) returns void
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
begin
  insert into notes.notes (owner_id, title, body)
  values (user_id, 'Welcome', 'This note is yours alone, until you share it.');
end
$$;
revoke execute on function pie_hooks.after_user_created(uuid) from public;

comment on table notes.notes is 'A note.';
comment on column notes.notes.id is 'Identifies the note.';
comment on column notes.notes.owner_id is 'Whose note it is: whoever made it.';
comment on column notes.notes.title is 'What the note is called: 1 to 200 characters.';
comment on column notes.notes.body is 'What it says: at most 10,000 characters.';
comment on column notes.notes.created_at is 'When it was made.';
comment on column notes.notes.updated_at is 'When it was last edited.';
comment on table notes.shares is 'A note that its owner shares with somebody.';
comment on column notes.shares.note_id is 'The note.';
comment on column notes.shares.user_id is 'Who it is shared with.';
comment on column notes.shares.access is 'What they may do with it: `read`, or `write`, which includes reading.';
comment on function notes.touch() is 'Trigger: notes the time of an edit.';
comment on function notes.shared_with_me(text) is 'The notes that others share with the session''s user, to `read` at least or to `write`.';
comment on function pie_hooks.after_user_created(uuid) is 'Gives every new user a welcome note.';
