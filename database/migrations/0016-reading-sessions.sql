-- What a node reads of a session, and keeps in its caches: the session and its user, the versions of
-- both rows, and the time at which the reading began.
create view pie_private.session_descriptions with (security_invoker = true) as
  select
    sessions.id,
    sessions.proof_hash,
    -- May act, or may be renewed by what it was.
    sessions.revoked_at is null and sessions.absolute_expires_at > now() as is_usable,
    json_build_object(
      -- Milliseconds since 1970. The transaction began before this statement looked, so whatever was
      -- committed before then is in here.
      'read_at', extract(epoch from now()) * 1000,
      'is_expired', sessions.expires_at <= now(),
      'session', json_build_object(
        'id', sessions.id,
        'kind', sessions.kind,
        'created_at', sessions.created_at,
        'last_seen_at', sessions.last_seen_at,
        'expires_at', sessions.expires_at,
        'absolute_expires_at', sessions.absolute_expires_at,
        'assurance_level', sessions.assurance_level,
        'methods', sessions.methods
      ),
      'session_version', sessions.version,
      'user_version', users.version,
      'user', user_descriptions.description
    ) as description
  from pie_private.sessions
  join pie_schema.users on users.id = sessions.user_id
  join pie_schema.user_descriptions on user_descriptions.id = sessions.user_id;
comment on view pie_private.session_descriptions is 'Sessions as nodes cache them. Granted to no role.';
comment on column pie_private.session_descriptions.id is 'The session.';
comment on column pie_private.session_descriptions.proof_hash is 'SHA-256 of the session''s proof.';
comment on column pie_private.session_descriptions.is_usable is 'Whether the session is neither revoked nor past its absolute limit. It may have expired.';
comment on column pie_private.session_descriptions.description is 'The session and its user as JSON, with their versions and the time of reading.';

-- A session that its holder proves, as nodes cache it; null for one that is revoked or past its limit.
create function pie_private.read_session(session_id uuid, proof bytea) returns json
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select session_descriptions.description from pie_private.session_descriptions
    where session_descriptions.id = session_id
      and session_descriptions.proof_hash = sha256(proof)
      and session_descriptions.is_usable
  );
end
$$;

-- The same for a session that is in use. Being seen is written at most every five minutes; it moves a
-- browser's expiry on, and puts the proof under the current key of SECRET_KEY.
create function pie_private.visit_session(session_id uuid, proofs bytea[], browser_lifetime interval) returns json
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  update pie_private.sessions
  set last_seen_at = now(),
      expires_at = case sessions.kind
        when 'browser' then least(now() + browser_lifetime, sessions.absolute_expires_at)
        else sessions.expires_at
      end,
      proof_hash = sha256(proofs[1]),
      version = sessions.version + 1
  where sessions.id = session_id
    and sessions.proof_hash = any (array(select sha256(proof) from unnest(proofs) as given (proof)))
    and sessions.revoked_at is null
    -- Not now(), which stands still while this waits: what expired or was renewed meanwhile stays so.
    and sessions.expires_at > clock_timestamp()
    and sessions.successor_id is null
    and (sessions.last_seen_at < now() - interval '5 minutes' or sessions.proof_hash <> sha256(proofs[1]));
  return pie_private.read_session(session_id, proofs[1]);
end
$$;

-- Renews a browser's session that has expired: by a successor, once. Returns the successor's
-- description: the same one for every retry inside the window, whoever comes first; null for a session
-- that may not be renewed.
--
-- Requests that race wait here for the first, and see what it wrote. The successor keeps the absolute
-- limit of what it succeeds.
--
-- The user is locked before the session, as by whoever ends the user's sessions: one that is being ended
-- is not renewed, and a successor that is being made is found and ended too.
create function pie_private.renew_session(
  session_id uuid,
  proofs bytea[],
  successor_id uuid,
  successor_proof_hash bytea,
  lifetime interval,
  renew_window interval,
  retry_window interval,
  address inet,
  user_agent text
)
  returns json
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  expired pie_private.sessions;
  successor uuid;
begin
  perform from pie_schema.users
  where users.id = (
      select sessions.user_id from pie_private.sessions
      where sessions.id = session_id
        and sessions.proof_hash = any (array(select sha256(proof) from unnest(proofs) as given (proof)))
    )
    and users.disabled_at is null
  for share;
  if not found then
    return null;
  end if;

  select sessions.* into expired from pie_private.sessions
  where sessions.id = session_id
    and sessions.kind = 'browser'
    and sessions.proof_hash = any (array(select sha256(proof) from unnest(proofs) as given (proof)))
    and sessions.revoked_at is null
    and sessions.expires_at <= now()
    and sessions.expires_at > now() - renew_window
    and sessions.absolute_expires_at > now()
  for update;
  if not found then
    return null;
  end if;

  if expired.successor_id is not null then
    successor := (
      select sessions.id from pie_private.sessions
      where sessions.id = expired.successor_id and sessions.created_at > now() - retry_window
    );
  else
    insert into pie_private.sessions
      (id, user_id, kind, proof_hash, assurance_level, methods, actor_id, scopes, expires_at, absolute_expires_at,
       address, user_agent)
    values
      (renew_session.successor_id, expired.user_id, expired.kind, successor_proof_hash, expired.assurance_level,
       expired.methods, expired.actor_id, expired.scopes, least(now() + lifetime, expired.absolute_expires_at),
       expired.absolute_expires_at, renew_session.address, left(renew_session.user_agent, 512));
    update pie_private.sessions set successor_id = renew_session.successor_id where sessions.id = session_id;
    perform pie_private.record_event('session.renewed', expired.user_id, session_id, address,
      jsonb_build_object('successor', renew_session.successor_id));
    successor := renew_session.successor_id;
  end if;
  return (
    select session_descriptions.description from pie_private.session_descriptions
    where session_descriptions.id = successor and session_descriptions.is_usable
  );
end
$$;

revoke execute on function pie_private.read_session(uuid, bytea) from public;
revoke execute on function pie_private.visit_session(uuid, bytea[], interval) from public;
revoke execute on function pie_private.renew_session(uuid, bytea[], uuid, bytea, interval, interval, interval, inet, text) from public;
grant execute on function pie_private.read_session(uuid, bytea) to cream;
grant execute on function pie_private.visit_session(uuid, bytea[], interval) to pie_auth;
grant execute on function pie_private.renew_session(uuid, bytea[], uuid, bytea, interval, interval, interval, inet, text) to pie_auth;

comment on function pie_private.read_session(uuid, bytea) is 'A session that its holder proves, with its user, as nodes cache it; null for one that has ended for good.';
comment on function pie_private.visit_session(uuid, bytea[], interval) is 'The same, after it has been written down that the session is in use.';
comment on function pie_private.renew_session(uuid, bytea[], uuid, bytea, interval, interval, interval, inet, text) is 'The successor of a browser''s expired session, the same for every retry; null where there is none.';
