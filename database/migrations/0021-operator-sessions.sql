-- What an operator does with users and their sessions from the command line, as the owner. Granted to
-- nobody. Each keeps the audit log, and none needs more than one statement from the command.

-- Disables a user, which ends their sessions. False when there is no such user; twice is the same as once.
create function pie_private.disable_user(email text) returns boolean
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_id uuid := (select user_emails.user_id from pie_schema.user_emails where user_emails.email = disable_user.email);
begin
  update pie_schema.users set disabled_at = now() where users.id = found_id and users.disabled_at is null;
  if found then
    perform pie_private.record_event('user.disabled', found_id, null, null);
  end if;
  return found_id is not null;
end
$$;

-- Lets a disabled user sign in again. Their ended sessions stay ended.
create function pie_private.enable_user(email text) returns boolean
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_id uuid := (select user_emails.user_id from pie_schema.user_emails where user_emails.email = enable_user.email);
begin
  update pie_schema.users set disabled_at = null where users.id = found_id and users.disabled_at is not null;
  if found then
    perform pie_private.record_event('user.enabled', found_id, null, null);
  end if;
  return found_id is not null;
end
$$;

-- Deletes a user with all that is theirs. The audit log keeps its lines.
create function pie_private.delete_user(email text) returns boolean
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_id uuid := (select user_emails.user_id from pie_schema.user_emails where user_emails.email = delete_user.email);
begin
  delete from pie_schema.users where users.id = found_id;
  if found then
    perform pie_private.record_event('user.deleted', found_id, null, null);
  end if;
  return found_id is not null;
end
$$;

-- The sessions of a user that may act or might be renewed; of everybody when the address is null.
create function pie_private.list_sessions(email text, most integer)
  returns table (
    id uuid, email text, kind text, created_at timestamptz, last_seen_at timestamptz, expires_at timestamptz,
    address inet, user_agent text
  )
  language sql stable
  set search_path = pg_catalog, pg_temp
as $$
  select sessions.id, user_emails.email, sessions.kind, sessions.created_at, sessions.last_seen_at,
         sessions.expires_at, sessions.address, sessions.user_agent
  from pie_private.sessions
  left join pie_schema.user_emails on user_emails.user_id = sessions.user_id and user_emails.is_primary
  where sessions.revoked_at is null
    and sessions.successor_id is null
    and sessions.absolute_expires_at > now()
    and (sessions.kind = 'browser' or sessions.expires_at > now())
    and (list_sessions.email is null or sessions.user_id = (
      select named.user_id from pie_schema.user_emails as named where named.email = list_sessions.email
    ))
  order by sessions.last_seen_at desc, sessions.id
  limit most
$$;

-- Ends a session with what it was renewed by, or every session of a user: whichever is given. Returns
-- how many it has ended, not counting those that had been renewed.
create function pie_private.revoke_sessions(session_id uuid, email text) returns integer
  language sql volatile
  set search_path = pg_catalog, pg_temp
as $$
  -- In a statement of its own: whoever is renewing one of them has been waited for, and the next sees it.
  select from pie_schema.users
  where users.id in (
    select sessions.user_id from pie_private.sessions where sessions.id = revoke_sessions.session_id
    union all
    select user_emails.user_id from pie_schema.user_emails where user_emails.email = revoke_sessions.email
  )
  order by users.id
  for no key update;

  with recursive line as (
    select sessions.id, sessions.successor_id from pie_private.sessions where sessions.id = revoke_sessions.session_id
    union
    select next.id, next.successor_id from line join pie_private.sessions as next on next.id = line.successor_id
  ), ended as (
    update pie_private.sessions set revoked_at = now(), revoked_reason = 'revoked_by_operator'
    where sessions.revoked_at is null
      and (sessions.id in (select line.id from line) or sessions.user_id = (
        select user_emails.user_id from pie_schema.user_emails where user_emails.email = revoke_sessions.email
      ))
    returning sessions.id, sessions.user_id, sessions.successor_id
  ), new_event as (
    insert into pie_private.audit_log (event, user_id, session_id, detail)
    select 'session.ended', ended.user_id, ended.id, '{"reason": "revoked_by_operator"}' from ended
  )
  select count(*) filter (where ended.successor_id is null)::integer from ended
$$;

-- Whether there is a user of this address, to tell somebody without sessions from nobody.
create function pie_private.is_user(email text) returns boolean
  language sql stable
  set search_path = pg_catalog, pg_temp
as $$
  select exists (select from pie_schema.user_emails where user_emails.email = is_user.email)
$$;

-- As in 0014, but that both lock the user before the role, as deleting does.
create or replace function pie_private.grant_role(email text, role text) returns boolean
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_id uuid := (select user_emails.user_id from pie_schema.user_emails where user_emails.email = grant_role.email);
begin
  if found_id is null then
    return false;
  end if;
  perform from pie_schema.users where users.id = found_id for no key update;
  insert into pie_schema.user_roles (user_id, role) values (found_id, grant_role.role)
  on conflict on constraint user_roles_pkey do nothing;
  if found then
    perform pie_private.record_event('role.granted', found_id, null, null, jsonb_build_object('role', grant_role.role));
  end if;
  return true;
end
$$;

create or replace function pie_private.revoke_role(email text, role text) returns boolean
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_id uuid := (select user_emails.user_id from pie_schema.user_emails where user_emails.email = revoke_role.email);
begin
  if found_id is null then
    return false;
  end if;
  perform from pie_schema.users where users.id = found_id for no key update;
  delete from pie_schema.user_roles where user_roles.user_id = found_id and user_roles.role = revoke_role.role;
  if found then
    perform pie_private.record_event('role.revoked', found_id, null, null, jsonb_build_object('role', revoke_role.role));
  end if;
  return true;
end
$$;

revoke execute on function pie_private.disable_user(text) from public;
revoke execute on function pie_private.enable_user(text) from public;
revoke execute on function pie_private.delete_user(text) from public;
revoke execute on function pie_private.list_sessions(text, integer) from public;
revoke execute on function pie_private.revoke_sessions(uuid, text) from public;
revoke execute on function pie_private.is_user(text) from public;

comment on function pie_private.disable_user(text) is 'Disables the user of an address; false when there is none. For the owner alone.';
comment on function pie_private.enable_user(text) is 'Lets the user of an address sign in again; false when there is none. For the owner alone.';
comment on function pie_private.delete_user(text) is 'Deletes the user of an address; false when there is none. For the owner alone.';
comment on function pie_private.list_sessions(text, integer) is 'The sessions of a user, or of everybody, the last seen first. For the owner alone.';
comment on function pie_private.revoke_sessions(uuid, text) is 'Ends one session, or all of a user''s; returns how many. For the owner alone.';
comment on function pie_private.is_user(text) is 'Whether an address is a user''s. For the owner alone.';
