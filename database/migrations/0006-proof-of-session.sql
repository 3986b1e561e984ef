-- Who is asking, proven to the database in the transaction that does the work.
--
-- A setting can be forged by whoever can run SQL, so none of these functions believes one: each looks
-- the session up and compares the hash of the proof with the row. To become another user, an attacker
-- with a hole in the application's SQL would need that user's proof, which is stored nowhere.

-- The session that this transaction has proven, or no row.
create function pie_private.current_session()
  returns table (session_id uuid, user_id uuid, scopes text[])
  language sql stable security definer rows 1
  set search_path = pg_catalog, pg_temp
as $$
  select sessions.id, sessions.user_id, sessions.scopes
  from pie_private.sessions
  where sessions.id = nullif(current_setting('pie.session_id', true), '')::uuid
    and sessions.proof_hash = sha256(decode(current_setting('pie.session_proof', true), 'hex'))
    and sessions.revoked_at is null
    and sessions.expires_at > now()
$$;

-- The same written out, because nearly every policy calls it, and a function inside would cost each.
create function pie_schema.current_user_id() returns uuid
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select sessions.user_id
  from pie_private.sessions
  where sessions.id = nullif(current_setting('pie.session_id', true), '')::uuid
    and sessions.proof_hash = sha256(decode(current_setting('pie.session_proof', true), 'hex'))
    and sessions.revoked_at is null
    and sessions.expires_at > now()
$$;

create function pie_schema.current_session_id() returns uuid
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select session_id from pie_private.current_session()
$$;

create function pie_schema.has_role(role text) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pie_schema.user_roles
    where user_roles.user_id = pie_schema.current_user_id()
      and user_roles.role = has_role.role
  )
$$;

create function pie_schema.has_permission(permission text) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from pie_schema.user_roles
    join pie_schema.role_permissions using (role)
    where user_roles.user_id = pie_schema.current_user_id()
      and role_permissions.permission = has_permission.permission
  )
$$;

-- Checks a session before any work is done, and says which database role its user works as.
-- Raises 28000 (invalid authorization) for every session that may not act, and says no more than that.
create function pie_private.check_session(session_id uuid, proof bytea)
  returns table (user_id uuid, database_role text)
  language plpgsql stable security definer rows 1
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select sessions.user_id,
           case when exists (
             select from pie_schema.user_roles
             where user_roles.user_id = sessions.user_id and user_roles.role = 'admin'
           ) then 'webadmin' else 'webuser' end
    from pie_private.sessions
    where sessions.id = check_session.session_id
      and sessions.proof_hash = sha256(check_session.proof)
      and sessions.revoked_at is null
      and sessions.expires_at > now();
  if not found then
    raise exception 'the session is not valid' using errcode = '28000';
  end if;
end
$$;

-- Proves the session, and becomes webuser or webadmin for this transaction alone. It runs with the
-- caller's rights, because a function that borrows its owner's may not change the role.
create function pie_private.take_session(session_id uuid, proof bytea) returns uuid
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
declare
  session record;
begin
  select * into strict session from pie_private.check_session(session_id, proof);
  perform set_config('pie.session_id', session_id::text, true),
          set_config('pie.session_proof', encode(proof, 'hex'), true),
          set_config('role', session.database_role, true);
  return session.user_id;
end
$$;

-- First statement of every request transaction, in which SQL of the application's own may run: so the
-- connection must be one on which nothing was left behind.
create function pie_private.authenticate(session_id uuid, proof bytea) returns uuid
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  -- What SQL has prepared or made temporary on this connection was left by an earlier request, for this one.
  if pg_my_temp_schema() <> 0 or exists (select from pg_prepared_statements where from_sql) then
    raise exception 'this connection is not clean' using errcode = 'PI001';
  end if;
  return pie_private.take_session(session_id, proof);
end
$$;

revoke execute on function pie_private.current_session() from public;
revoke execute on function pie_schema.current_user_id() from public;
revoke execute on function pie_schema.current_session_id() from public;
revoke execute on function pie_schema.has_role(text) from public;
revoke execute on function pie_schema.has_permission(text) from public;
revoke execute on function pie_private.check_session(uuid, bytea) from public;
revoke execute on function pie_private.take_session(uuid, bytea) from public;
revoke execute on function pie_private.authenticate(uuid, bytea) from public;

grant execute on function pie_private.check_session(uuid, bytea) to cream;
grant execute on function pie_private.take_session(uuid, bytea) to cream;
grant execute on function pie_private.authenticate(uuid, bytea) to cream;
grant execute on function pie_schema.current_user_id() to webuser;
grant execute on function pie_schema.current_session_id() to webuser;
grant execute on function pie_schema.has_role(text) to webuser;
grant execute on function pie_schema.has_permission(text) to webuser;

comment on function pie_private.current_session() is 'The session that this transaction has proven, or no row.';
comment on function pie_schema.current_user_id() is 'The user whose session this transaction has proven, or null. In a policy write `(select pie_schema.current_user_id())`, so that it runs once per statement.';
comment on function pie_schema.current_session_id() is 'The session that this transaction has proven, or null.';
comment on function pie_schema.has_role(text) is 'Whether the user whose session this transaction has proven has a role.';
comment on function pie_schema.has_permission(text) is 'Whether one of the user''s roles has a permission, as `subject:verb`.';
comment on function pie_private.check_session(uuid, bytea) is 'Says whom a session acts as and which database role it works as, or raises 28000.';
comment on function pie_private.take_session(uuid, bytea) is 'Proves a session and takes its database role until the transaction ends, or raises 28000.';
comment on function pie_private.authenticate(uuid, bytea) is 'First statement of every request transaction: proves the session and takes its database role, or raises 28000; PI001 on a connection that was left unclean.';
