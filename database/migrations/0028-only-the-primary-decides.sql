-- compatible: nodes of the version before go on.
-- A standby answers from what it has been sent so far. For as long as it lags, it would let a session act that has been
-- ended; so none of what proves a session does it there, and whoever asks goes to the primary. Nodes look when they
-- connect; a pooler, or a name that leads elsewhere from now on, may bring them to a standby all the same.

-- Says it to what watches nodes, and before each transaction that comes through a pooler, which may lead anywhere: a primary
-- that was left, because a standby was promoted, is of an older timeline than the one that the node has seen.
create function pie_private.check_primary(timeline integer default null) returns void
  language plpgsql stable
  set search_path = pg_catalog, pg_temp
as $$
begin
  if pg_is_in_recovery() then
    raise exception 'this server is a standby, and decides nothing' using errcode = '25006';
  end if;
  if current_setting('transaction_read_only')::boolean then
    raise exception 'this server takes no changes' using errcode = '25006';
  end if;
  if timeline is not null and left(pg_walfile_name(pg_current_wal_lsn()), 8) <> lpad(upper(to_hex(timeline)), 8, '0') then
    raise exception 'this server is of another timeline' using errcode = '25006';
  end if;
end
$$;
revoke execute on function pie_private.check_primary(integer) from public;
grant execute on function pie_private.check_primary(integer) to pie_auth;
grant execute on function pie_private.check_primary(integer) to cream;
comment on function pie_private.check_primary(integer) is 'Raises 25006 where nothing can be changed: on a standby, or under default_transaction_read_only; or on another timeline than the one that is given.';

-- The same as before, each with its first lines.

create or replace function pie_private.check_session(session_id uuid, proof bytea)
  returns table (user_id uuid, database_role text)
  language plpgsql stable security definer rows 1
  set search_path = pg_catalog, pg_temp
as $$
begin
  if pg_is_in_recovery() then
    raise exception 'this server is a standby, and decides nothing' using errcode = '25006';
  end if;
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

create or replace function pie_private.read_session(session_id uuid, proof bytea) returns json
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  if pg_is_in_recovery() then
    raise exception 'this server is a standby, and decides nothing' using errcode = '25006';
  end if;
  return (
    select session_descriptions.description from pie_private.session_descriptions
    where session_descriptions.id = session_id
      and session_descriptions.proof_hash = sha256(proof)
      and session_descriptions.is_usable
  );
end
$$;

create or replace function pie_private.read_me(session_id uuid, proof bytea) returns json
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
declare
  my_id uuid;
begin
  if pg_is_in_recovery() then
    raise exception 'this server is a standby, and decides nothing' using errcode = '25006';
  end if;
  perform set_config('pie.session_id', session_id::text, true),
          set_config('pie.session_proof', encode(proof, 'hex'), true),
          set_config('role', 'webuser', true);
  my_id := pie_schema.current_user_id();
  return (select description from pie_schema.user_descriptions where id = my_id);
end
$$;
