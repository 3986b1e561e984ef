-- Making users, and starting sessions for them. What pie_auth may do is what is granted here and in
-- the following migrations: functions, never tables.

-- Makes a user with one address, and with a password unless the hash is null. Returns the user's id,
-- or null, with nothing changed, when the address is another user's.
--
-- The user's row refers to the address that could be taken, so the address goes first; the foreign key
-- is checked when the statement ends, and by then both are there.
create function pie_private.register_user(user_id uuid, email text, name text, password_hash text, address inet)
  returns uuid
  language sql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
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
  select new_user.id from new_user
$$;

-- Starts a session for a user who may have one. Returns the row's times and the user as the doors show
-- it, or no row, with nothing changed, when there is no such user or they are disabled.
create function pie_private.start_session(
  user_id uuid,
  session_id uuid,
  kind text,
  proof_hash bytea,
  methods text[],
  lifetime interval,
  absolute_lifetime interval,
  address inet,
  user_agent text
)
  returns table (started_at timestamptz, expires_at timestamptz, absolute_expires_at timestamptz, "user" json)
  language sql volatile security definer rows 1
  set search_path = pg_catalog, pg_temp
as $$
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
  join pie_schema.user_descriptions on user_descriptions.id = new_session.user_id
$$;

revoke execute on function pie_private.register_user(uuid, text, text, text, inet) from public;
revoke execute on function pie_private.start_session(uuid, uuid, text, bytea, text[], interval, interval, inet, text) from public;
grant execute on function pie_private.register_user(uuid, text, text, text, inet) to pie_auth;
grant execute on function pie_private.start_session(uuid, uuid, text, bytea, text[], interval, interval, inet, text) to pie_auth;

comment on function pie_private.register_user(uuid, text, text, text, inet) is 'Makes a user with an address and perhaps a password; null when the address is taken.';
comment on function pie_private.start_session(uuid, uuid, text, bytea, text[], interval, interval, inet, text) is 'Starts a session for a usable user; no row otherwise.';
