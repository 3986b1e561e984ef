-- Whatever changes something that a node may have cached says so, in the transaction that changes it:
-- a change made with psql, a dashboard or another service is heard like any of Pie's own.
--
-- A notice on the channel pie_cache names the row and its new version: `session <id> <version>`,
-- `user <id> <version>`; a deleted row has the highest version there is; `*` is everything. It only
-- ever takes trust away, so a forged one makes Pie slower and lets nobody in.

-- Only what ends a session sooner, or changes what it may do, is announced. Refreshing and being seen,
-- which is all the time, are not: an entry that does not know of them expires early and is read again.
--
-- The condition is in the function: as the trigger's own it would be read anew for every statement, which
-- costs a refresh more than the call does.
create function pie_private.announce_session() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and not (
    new.expires_at < old.expires_at
    or new.absolute_expires_at < old.absolute_expires_at
    or (new.id, new.user_id, new.kind, new.proof_hash, new.revoked_at, new.assurance_level, new.methods,
        new.actor_id, new.scopes)
      is distinct from (old.id, old.user_id, old.kind, old.proof_hash, old.revoked_at, old.assurance_level, old.methods,
        old.actor_id, old.scopes)
  ) then
    return null;
  end if;
  -- One that gets another id is gone under the first.
  if tg_op = 'DELETE' or old.id <> new.id then
    perform pg_notify('pie_cache', 'session ' || old.id || ' 9223372036854775807');
  end if;
  if tg_op = 'UPDATE' then
    perform pg_notify('pie_cache', 'session ' || new.id || ' ' || new.version);
  end if;
  return null;
end
$$;
create trigger sessions_announce_change after update on pie_private.sessions
  for each row execute function pie_private.announce_session();
-- A row that ended long ago is in no cache: sweeping away millions of them need not be announced. The
-- hour is for clocks that differ.
create trigger sessions_announce_deletion after delete on pie_private.sessions
  for each row when (old.revoked_at is null and old.expires_at > now() - interval '1 hour')
  execute function pie_private.announce_session();

create function pie_private.announce_user() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' then
    perform pg_notify('pie_cache', 'user ' || old.id || ' 9223372036854775807');
  else
    perform pg_notify('pie_cache', 'user ' || new.id || ' ' || new.version);
  end if;
  return null;
end
$$;
create trigger users_announce_change after update or delete on pie_schema.users
  for each row execute function pie_private.announce_user();

-- What changes many at once, or all.
create function pie_private.announce_everything() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('pie_cache', '*');
  return null;
end
$$;
create trigger sessions_announce_truncation after truncate on pie_private.sessions
  for each statement execute function pie_private.announce_everything();
create trigger users_announce_truncation after truncate on pie_schema.users
  for each statement execute function pie_private.announce_everything();
create trigger user_emails_announce_truncation after truncate on pie_schema.user_emails
  for each statement execute function pie_private.announce_everything();
create trigger user_roles_announce_truncation after truncate on pie_schema.user_roles
  for each statement execute function pie_private.announce_everything();
create trigger roles_announce_change after update or delete or truncate on pie_schema.roles
  for each statement execute function pie_private.announce_everything();
create trigger role_permissions_announce_change after insert or update or delete or truncate on pie_schema.role_permissions
  for each statement execute function pie_private.announce_everything();

-- A user's addresses and roles belong to the user: changing them makes a new version of the user. Not
-- in the transaction that made the user, whom nobody can have seen yet.
create function pie_private.touch_user_of_row() returns trigger
  language plpgsql
  security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  touched uuid[] := array[case when tg_op <> 'INSERT' then old.user_id end, case when tg_op <> 'DELETE' then new.user_id end];
begin
  update pie_schema.users set version = users.version where users.id = any (touched) and users.created_at <> now();
  return null;
end
$$;
create trigger user_emails_touch_user after insert or update or delete on pie_schema.user_emails
  for each row execute function pie_private.touch_user_of_row();
create trigger user_roles_touch_user after insert or update or delete on pie_schema.user_roles
  for each row execute function pie_private.touch_user_of_row();

-- A change of roles is a change of privilege, and from then on a browser has another session id: its
-- session expires here, and its next request renews it. Tokens name their session to nobody who could
-- have fixed it before, and take a new generation at each refresh. (Triggers run in the order of their
-- names: the user first, then the sessions, as whoever disables a user locks them.)
create function pie_private.turn_over_sessions() returns trigger
  language plpgsql
  security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  update pie_private.sessions set expires_at = now()
  where sessions.user_id in (
      case when tg_op <> 'INSERT' then old.user_id end, case when tg_op <> 'DELETE' then new.user_id end
    )
    and sessions.kind = 'browser' and sessions.revoked_at is null and sessions.expires_at > now();
  return null;
end
$$;
create trigger user_roles_turn_over_sessions after insert or update or delete on pie_schema.user_roles
  for each row execute function pie_private.turn_over_sessions();

-- In a session of replication too, which otherwise fires no triggers.
alter table pie_private.sessions enable always trigger sessions_announce_change;
alter table pie_private.sessions enable always trigger sessions_announce_deletion;
alter table pie_private.sessions enable always trigger sessions_announce_truncation;
alter table pie_schema.users enable always trigger users_announce_change;
alter table pie_schema.users enable always trigger users_announce_truncation;
alter table pie_schema.users enable always trigger users_touch;
alter table pie_schema.users enable always trigger users_end_sessions_when_disabled;
alter table pie_private.sessions enable always trigger sessions_touch;
alter table pie_schema.user_emails enable always trigger user_emails_touch_user;
alter table pie_schema.user_emails enable always trigger user_emails_announce_truncation;
alter table pie_schema.user_roles enable always trigger user_roles_touch_user;
alter table pie_schema.user_roles enable always trigger user_roles_announce_truncation;
alter table pie_schema.user_roles enable always trigger user_roles_turn_over_sessions;
alter table pie_schema.roles enable always trigger roles_announce_change;
alter table pie_schema.role_permissions enable always trigger role_permissions_announce_change;

revoke execute on function pie_private.announce_session() from public;
revoke execute on function pie_private.announce_user() from public;
revoke execute on function pie_private.announce_everything() from public;
revoke execute on function pie_private.touch_user_of_row() from public;
revoke execute on function pie_private.turn_over_sessions() from public;

comment on function pie_private.announce_session() is 'Trigger: tells every node that a session is not what it was.';
comment on function pie_private.announce_user() is 'Trigger: tells every node that a user is not what they were.';
comment on function pie_private.announce_everything() is 'Trigger: tells every node to read everything again.';
comment on function pie_private.touch_user_of_row() is 'Trigger: a change of a user''s addresses or roles is a new version of the user.';
comment on function pie_private.turn_over_sessions() is 'Trigger: a user whose roles change gets new session ids.';
