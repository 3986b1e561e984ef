-- Changing a password, in two statements around the hashing. The attempt is counted by the first, so
-- that whoever finds an open browser cannot guess at leisure.

-- Whom the session acts as, and what to check the current password against. wait_seconds is null when
-- the attempt may be made; no row for a session that may not act. Ten attempts, then one a minute.
create function pie_private.begin_password_change(session_id uuid, proofs bytea[])
  returns table (wait_seconds integer, user_id uuid, email text, name text, password_hash text)
  language plpgsql volatile security definer rows 1
  set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  found_id uuid := (
    select sessions.user_id from pie_private.sessions
    where sessions.id = session_id
      and sessions.proof_hash = any (array(select sha256(proof) from unnest(proofs) as given (proof)))
      and sessions.revoked_at is null
      and sessions.expires_at > now()
  );
  wait interval;
begin
  if found_id is null then
    return;
  end if;
  wait := pie_private.spend_attempt('password-change:' || found_id, 10, interval '1 minute');
  if wait is not null then
    return query select ceil(extract(epoch from wait))::integer, null::uuid, null::text, null::text, null::text;
    return;
  end if;
  return query
    select null::integer, users.id, user_emails.email, users.name, passwords.hash
    from pie_schema.users
    left join pie_schema.user_emails on user_emails.user_id = users.id and user_emails.is_primary
    left join pie_private.passwords on passwords.user_id = users.id
    where users.id = found_id;
end
$$;

-- The current password was right: sets the new one, ends every session of the user, and starts the one
-- that goes on in place of the session that asked. No row, and nothing changed, when that session has
-- ended or the password was changed meanwhile.
create function pie_private.complete_password_change(
  session_id uuid,
  proofs bytea[],
  verified_hash text,
  new_hash text,
  new_session_id uuid,
  new_proof_hash bytea,
  lifetime interval,
  absolute_lifetime interval,
  address inet,
  user_agent text
)
  returns table (
    started_at timestamptz, expires_at timestamptz, absolute_expires_at timestamptz, "user" json, ended uuid[]
  )
  language plpgsql volatile security definer rows 1
  set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  asking pie_private.sessions;
  ended_ids uuid[];
begin
  select sessions.* into asking from pie_private.sessions
  where sessions.id = session_id
    and sessions.proof_hash = any (array(select sha256(proof) from unnest(proofs) as given (proof)))
    and sessions.revoked_at is null
    and sessions.expires_at > now();
  if not found then
    return;
  end if;

  -- The user first, then all that is theirs: in the order in which signing in, renewing, disabling and
  -- deleting lock them.
  perform from pie_schema.users where users.id = asking.user_id for no key update;
  -- Before the sessions: a sign-in with the old password holds the user until its session is there.
  update pie_private.passwords set hash = new_hash, changed_at = now()
  where passwords.user_id = asking.user_id and passwords.hash = verified_hash;
  if not found then
    return;
  end if;

  with ended as (
    update pie_private.sessions set revoked_at = now(), revoked_reason = 'password_changed'
    where sessions.user_id = asking.user_id and sessions.revoked_at is null
    returning sessions.id
  )
  select array_agg(ended.id) into ended_ids from ended;
  -- Ended meanwhile: then whoever asks is signed in no longer. (Null when nothing was left to end.)
  if (session_id = any (ended_ids)) is not true then
    raise exception 'the session is not valid' using errcode = '28000';
  end if;

  perform pie_private.record_event('password.changed', asking.user_id, session_id, address);
  delete from pie_private.throttles where throttles.key = 'password-change:' || asking.user_id;
  return query
    select started.started_at, started.expires_at, started.absolute_expires_at, started."user", ended_ids
    from pie_private.start_session(
      asking.user_id, new_session_id, asking.kind, new_proof_hash, asking.methods, lifetime, absolute_lifetime,
      address, user_agent
    ) as started;
end
$$;

-- As in 0011, but for its first statement: a user who is being deleted is no deadlock.
create or replace function pie_private.complete_password_sign_in(
  user_id uuid,
  email text,
  verified_hash text,
  session_id uuid,
  kind text,
  proof_hash bytea,
  lifetime interval,
  absolute_lifetime interval,
  address inet,
  user_agent text
)
  returns table (started_at timestamptz, expires_at timestamptz, absolute_expires_at timestamptz, "user" json)
  language plpgsql volatile security definer rows 1
  set search_path = pg_catalog, pg_temp
as $$
declare
  network text := pie_private.network_of(address);
  account text := encode(sha256(convert_to(email, 'utf8')), 'hex');
  is_known boolean := pie_private.is_known_network(user_id, network);
begin
  -- The user first, as by whoever changes the password, disables or deletes.
  perform from pie_schema.users where users.id = complete_password_sign_in.user_id for share;
  -- Locked until the session is there, so that a password change that ends the other sessions finds it.
  perform from pie_private.passwords
  where passwords.user_id = complete_password_sign_in.user_id and passwords.hash = verified_hash
  for share;
  if not found then
    return;
  end if;

  return query
    select * from pie_private.start_session(
      user_id, session_id, kind, proof_hash, array['pwd'], lifetime, absolute_lifetime, address, user_agent
    );
  if not found then
    return;
  end if;

  -- In the order in which an attempt is counted, so that two of one place never wait for each other.
  perform pie_private.refund_attempt('network:' || network, interval '10 seconds');
  delete from pie_private.throttles where throttles.key = 'account-network:' || account || ':' || network;
  -- An attempt from a known network was not counted there: what strangers have spent stays spent.
  if not is_known then
    perform pie_private.refund_attempt('account:' || account, interval '30 seconds');
  end if;
end
$$;

revoke execute on function pie_private.begin_password_change(uuid, bytea[]) from public;
revoke execute on function pie_private.complete_password_change(uuid, bytea[], text, text, uuid, bytea, interval, interval, inet, text) from public;
grant execute on function pie_private.begin_password_change(uuid, bytea[]) to pie_auth;
grant execute on function pie_private.complete_password_change(uuid, bytea[], text, text, uuid, bytea, interval, interval, inet, text) to pie_auth;

comment on function pie_private.begin_password_change(uuid, bytea[]) is 'Counts an attempt and returns the hash to check the current password against, or how many seconds to wait.';
comment on function pie_private.complete_password_change(uuid, bytea[], text, text, uuid, bytea, interval, interval, inet, text) is 'Sets a new password, ends every session of the user and starts a new one for whoever asked.';
