-- compatible: nodes of the version before go on.
-- What others may be shown of a user. pie_schema.users shows oneself and cannot be widened, because addresses, roles and
-- sessions hang on it. A profile is that user's other side: one row for each, with the name and nothing else, at which an
-- application's foreign keys point, and on which it may put policies of its own ("people of my team see each other").
--
-- Nothing of Pie's own reads it: whatever an application lets be seen here widens neither what read_me and
-- user_descriptions show nor any policy. Policies called profiles_… are Pie's, of this version and later ones.
create table pie_schema.profiles (
  user_id      uuid primary key,
  display_name text
);

-- The name is written in one place, pie_schema.users, by whichever door. This goes before the hooks, by its name: what an
-- application makes for a new user may refer to the profile.
create function pie_private.keep_profile() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and new.name is not distinct from old.name then
    return null;
  end if;
  update pie_schema.profiles set display_name = new.name where profiles.user_id = new.id;
  if not found then
    insert into pie_schema.profiles (user_id, display_name) values (new.id, new.name);
  end if;
  return null;
end
$$;
revoke execute on function pie_private.keep_profile() from public;
create trigger users_are_profiles after insert or update on pie_schema.users
  for each row execute function pie_private.keep_profile();

-- The users there are. The trigger above holds off new ones until this is committed; a million at once are checked faster
-- than one by one.
insert into pie_schema.profiles (user_id, display_name) select users.id, users.name from pie_schema.users;
alter table pie_schema.profiles
  add constraint profiles_user_id_fkey foreign key (user_id) references pie_schema.users (id) on delete cascade;

-- Whoever writes a profile all the same, as the owner may, writes what the user is called. What a subscription or restored
-- data brings a second time is there already.
create function pie_private.hold_profile() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'INSERT' and exists (select from pie_schema.profiles where profiles.user_id = new.user_id) then
    return null;
  end if;
  new.display_name := (select users.name from pie_schema.users where users.id = new.user_id);
  return new;
end
$$;
revoke execute on function pie_private.hold_profile() from public;
create trigger profiles_say_the_users_name before insert or update on pie_schema.profiles
  for each row execute function pie_private.hold_profile();

-- In a session of replication too.
alter table pie_schema.users enable always trigger users_are_profiles;
alter table pie_schema.profiles enable always trigger profiles_say_the_users_name;

alter table pie_schema.profiles enable row level security;
alter table pie_schema.profiles force row level security;

-- The triggers, which run as the owner, work on every row.
create policy profiles_for_owner on pie_schema.profiles to current_user using (true) with check (true);
-- A user sees their own profile.
create policy profiles_own on pie_schema.profiles
  for select to webuser using (user_id = (select pie_schema.current_user_id()));
-- An admin sees every profile. Being webadmin is not enough: the session's user must be one.
create policy profiles_admin on pie_schema.profiles
  for select to webadmin using ((select pie_schema.has_role('admin')));

-- Not granted: any writing. A name is changed in pie_schema.users.
grant select on pie_schema.profiles to webuser;

comment on table pie_schema.profiles is 'What others may be shown of a user: as far as policies of the application say, and oneself. Its foreign keys point here.';
comment on column pie_schema.profiles.user_id is 'The user.';
comment on column pie_schema.profiles.display_name is 'What the user wants to be called: always the same as the user''s name.';
comment on function pie_private.keep_profile() is 'Trigger: every user has a profile, with the same name.';
comment on function pie_private.hold_profile() is 'Trigger: a profile says what its user is called, and nothing else.';
