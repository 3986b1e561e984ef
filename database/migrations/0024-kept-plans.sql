-- The functions on a request's way that Postgres cannot inline keep their plans. Whatever is security definer
-- or has settings of its own is called, never inlined, and before Postgres 18 a called function in language sql
-- is parsed and planned anew by every statement that calls it: current_user_id() cost more than the rest of
-- read_me together. plpgsql plans a statement once for each connection, on 15 to 18 alike.
--
-- The same names, arguments, rights and answers as before, so grants and comments stay. What only an operator's
-- command calls (is_user, list_sessions, revoke_sessions) stays in SQL: it is called once by a connection.

-- What policies ask.

create or replace function pie_schema.current_user_id() returns uuid
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select sessions.user_id
    from pie_private.sessions
    where sessions.id = nullif(current_setting('pie.session_id', true), '')::uuid
      and sessions.proof_hash = sha256(decode(current_setting('pie.session_proof', true), 'hex'))
      and sessions.revoked_at is null
      and sessions.expires_at > now()
  );
end
$$;

create or replace function pie_private.current_session() returns table (session_id uuid, user_id uuid, scopes text[])
  language plpgsql stable security definer rows 1
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select sessions.id, sessions.user_id, sessions.scopes
    from pie_private.sessions
    where sessions.id = nullif(current_setting('pie.session_id', true), '')::uuid
      and sessions.proof_hash = sha256(decode(current_setting('pie.session_proof', true), 'hex'))
      and sessions.revoked_at is null
      and sessions.expires_at > now();
end
$$;

create or replace function pie_schema.current_session_id() returns uuid
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return (select proven.session_id from pie_private.current_session() as proven);
end
$$;

-- In the next two, and in my_sessions, the call stands in a select of its own: once, however many rows are looked at.
create or replace function pie_schema.has_role(role text) returns boolean
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select from pie_schema.user_roles
    where user_roles.user_id = (select pie_schema.current_user_id())
      and user_roles.role = has_role.role
  );
end
$$;

create or replace function pie_schema.has_permission(permission text) returns boolean
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select
    from pie_schema.user_roles
    join pie_schema.role_permissions on role_permissions.role = user_roles.role
    where user_roles.user_id = (select pie_schema.current_user_id())
      and role_permissions.permission = has_permission.permission
  );
end
$$;

create or replace function pie_schema.has_scope(scope text) returns boolean
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select from pie_private.current_session() as proven
    where proven.scopes is null or has_scope.scope = any (proven.scopes)
  );
end
$$;

-- What the user's devices page asks.

create or replace function pie_schema.my_sessions(renew_window interval default '0') returns table (
  id uuid,
  kind text,
  created_at timestamptz,
  last_seen_at timestamptz,
  expires_at timestamptz,
  assurance_level smallint,
  methods text[],
  address inet,
  user_agent text,
  is_current boolean
)
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select sessions.id, sessions.kind, sessions.created_at, sessions.last_seen_at, sessions.expires_at,
           sessions.assurance_level, sessions.methods, sessions.address, sessions.user_agent,
           sessions.id = (select pie_schema.current_session_id())
    from pie_private.sessions
    where sessions.user_id = (select pie_schema.current_user_id())
      and sessions.revoked_at is null
      and sessions.successor_id is null
      and sessions.absolute_expires_at > now()
      and sessions.expires_at > now() - case sessions.kind when 'browser' then renew_window else '0' end
    order by sessions.last_seen_at desc, sessions.id;
end
$$;

create or replace function pie_private.end_line_of_session(session_id uuid, reason text, address inet) returns setof uuid
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
begin
  -- In a statement of its own: whoever is renewing the session has been waited for, and the next sees it.
  perform from pie_schema.users
  where users.id = (select sessions.user_id from pie_private.sessions where sessions.id = end_line_of_session.session_id)
  for no key update;

  return query
    with recursive line as (
      select sessions.id, sessions.successor_id from pie_private.sessions
      where sessions.id = end_line_of_session.session_id
      union
      select next.id, next.successor_id from line join pie_private.sessions as next on next.id = line.successor_id
    ), ended as (
      update pie_private.sessions
      set revoked_at = now(), revoked_reason = end_line_of_session.reason
      where sessions.id in (select line.id from line) and sessions.revoked_at is null
      returning sessions.id, sessions.user_id
    ), new_event as (
      insert into pie_private.audit_log (event, user_id, session_id, address, detail)
      select 'session.ended', ended.user_id, ended.id, end_line_of_session.address,
             jsonb_build_object('reason', end_line_of_session.reason)
      from ended
    )
    select ended.id from ended;
end
$$;

create or replace function pie_private.end_session(session_id uuid, proofs bytea[], reason text, address inet)
  returns setof uuid
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select ended.id
    from pie_private.sessions,
         lateral pie_private.end_line_of_session(sessions.id, end_session.reason, end_session.address) as ended (id)
    where sessions.id = end_session.session_id
      and sessions.proof_hash = any (array(select sha256(proof) from unnest(end_session.proofs) as given (proof)));
end
$$;

create or replace function pie_schema.end_my_session(session_id uuid) returns setof uuid
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select ended.id
    from pie_private.sessions,
         lateral pie_private.end_line_of_session(sessions.id, 'ended_by_user', null) as ended (id)
    where sessions.id = end_my_session.session_id
      and sessions.user_id = (select pie_schema.current_user_id());
end
$$;

create or replace function pie_schema.end_my_other_sessions(renew_window interval default null) returns setof uuid
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform from pie_schema.users where users.id = (select pie_schema.current_user_id()) for no key update;

  return query
    with ended as (
      update pie_private.sessions set revoked_at = now(), revoked_reason = 'ended_by_user'
      where sessions.user_id = (select pie_schema.current_user_id())
        and sessions.id <> (select pie_schema.current_session_id())
        and sessions.revoked_at is null
      returning sessions.*
    ), new_event as (
      insert into pie_private.audit_log (event, user_id, session_id, detail)
      select 'session.ended', ended.user_id, ended.id, '{"reason": "ended_by_user"}' from ended
    )
    select ended.id from ended
    where ended.successor_id is null
      and ended.absolute_expires_at > now()
      and (
        ended.expires_at > now()
        or ended.kind = 'browser' and (renew_window is null or ended.expires_at > now() - renew_window)
      );
end
$$;

-- What registration and sign-in are made of.

create or replace function pie_private.network_of(address inet) returns text
  language plpgsql immutable
  set search_path = pg_catalog, pg_temp
as $$
begin
  return network(set_masklen(address, case family(address) when 6 then 64 else 32 end))::text;
end
$$;

create or replace function pie_private.is_known_network(user_id uuid, network text) returns boolean
  language plpgsql stable
  set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select from pie_private.sessions
    where sessions.user_id = is_known_network.user_id
      and pie_private.network_of(sessions.address) = is_known_network.network
      and sessions.last_seen_at > now() - interval '90 days'
  );
end
$$;

create or replace function pie_private.refund_attempt(key text, drain interval) returns void
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
begin
  update pie_private.throttles set empty_at = throttles.empty_at - drain
  where throttles.key = refund_attempt.key;
end
$$;

create or replace function pie_private.clear_empty_throttles() returns void
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
begin
  delete from pie_private.throttles
  where throttles.key in (
    select stale.key from pie_private.throttles as stale
    where stale.empty_at < now() - interval '1 minute'
    order by stale.empty_at
    limit 4
    for update skip locked
  );
end
$$;

create or replace function pie_private.record_event(
  event text, user_id uuid, session_id uuid, address inet, detail jsonb default '{}'
) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  insert into pie_private.audit_log (event, user_id, session_id, address, detail)
  values (record_event.event, record_event.user_id, record_event.session_id, record_event.address, record_event.detail);
end
$$;

create or replace function pie_private.fail_password_sign_in(user_id uuid, address inet) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  insert into pie_private.audit_log (event, user_id, address, detail)
  values ('sign_in.failed', fail_password_sign_in.user_id, fail_password_sign_in.address, '{"method": "pwd"}');
end
$$;

create or replace function pie_private.register_user(
  user_id uuid, email text, name text, password_hash text, address inet
) returns uuid
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  registered_id uuid;
begin
  with new_email as (
    insert into pie_schema.user_emails (user_id, email, is_primary)
    values (register_user.user_id, register_user.email, true)
    on conflict on constraint user_emails_email_key do nothing
    returning user_emails.user_id
  ), new_user as (
    insert into pie_schema.users (id, name)
    select new_email.user_id, register_user.name from new_email
    returning users.id
  ), new_role as (
    insert into pie_schema.user_roles (user_id, role)
    select new_user.id, 'viewer' from new_user
  ), new_password as (
    insert into pie_private.passwords (user_id, hash)
    select new_user.id, register_user.password_hash from new_user
    where register_user.password_hash is not null
  ), new_event as (
    insert into pie_private.audit_log (event, user_id, address)
    select 'user.registered', new_user.id, register_user.address from new_user
  )
  select new_user.id into registered_id from new_user;
  return registered_id;
end
$$;

create or replace function pie_private.start_session(
  user_id uuid, session_id uuid, kind text, proof_hash bytea, methods text[], lifetime interval,
  absolute_lifetime interval, address inet, user_agent text
) returns table (started_at timestamptz, expires_at timestamptz, absolute_expires_at timestamptz, "user" json)
  language plpgsql volatile security definer rows 1
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    with usable_user as (
      -- Locked against being disabled until this session is there to be ended with the others.
      select users.id from pie_schema.users
      where users.id = start_session.user_id and users.disabled_at is null
      for share
    ), new_session as (
      insert into pie_private.sessions
        (id, user_id, kind, proof_hash, methods, expires_at, absolute_expires_at, address, user_agent)
      select
        start_session.session_id, usable_user.id, start_session.kind, start_session.proof_hash,
        start_session.methods,
        now() + least(start_session.lifetime, start_session.absolute_lifetime),
        now() + start_session.absolute_lifetime,
        start_session.address, left(start_session.user_agent, 512)
      from usable_user
      returning sessions.*
    ), new_event as (
      insert into pie_private.audit_log (event, user_id, session_id, address, detail)
      select 'session.started', new_session.user_id, new_session.id, new_session.address,
             jsonb_build_object('kind', new_session.kind, 'methods', new_session.methods)
      from new_session
    )
    select new_session.created_at, new_session.expires_at, new_session.absolute_expires_at,
           user_descriptions.description
    from new_session
    join pie_schema.user_descriptions on user_descriptions.id = new_session.user_id;
end
$$;

-- What access tokens are signed and verified with, as each node reads it every minute.
create or replace function pie_private.list_signing_keys() returns table (
  kid text,
  public_jwk jsonb,
  sealed_private bytea,
  signs_from timestamptz,
  verifies_until timestamptz
)
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select signing_keys.kid, signing_keys.public_jwk, signing_keys.sealed_private,
           signing_keys.signs_from, signing_keys.verifies_until
    from pie_private.signing_keys
    where signing_keys.verifies_until is null or signing_keys.verifies_until > now()
    order by signing_keys.signs_from desc, signing_keys.kid;
end
$$;
