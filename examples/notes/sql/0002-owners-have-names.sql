-- Whoever reads a note sees who wrote it.
--
-- pie_schema.users shows everybody themselves alone. Its other side is pie_schema.profiles, one row for each user with the
-- name that they go by: it may have policies of ours, and is what our foreign keys point at, so that GraphQL follows them.
-- Everybody has a profile before the hook makes their welcome note, and loses it with their account.
alter table notes.notes
  drop constraint notes_owner_id_fkey,
  add constraint notes_owner_id_fkey foreign key (owner_id) references pie_schema.profiles (user_id) on delete cascade;

-- Whose notes are shared with the session's user. Not with whom they share their own: then a share, given to somebody who
-- is known by nothing but their id, would tell their name.
create function notes.shares_with_me() returns setof uuid
  language plpgsql stable security definer rows 10
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select notes.owner_id
    from notes.notes
    where notes.id in (select notes.shared_with_me('read'));
end
$$;
revoke execute on function notes.shares_with_me() from public;
grant execute on function notes.shares_with_me() to webuser;

-- One's own profile, and for an admin every profile, Pie's own policies show.
create policy notes_owners on pie_schema.profiles for select to webuser
  using (user_id = any (array (select notes.shares_with_me())));

comment on function notes.shares_with_me() is 'Those who share a note of theirs with the session''s user.';
