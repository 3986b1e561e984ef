-- How a session goes on and how it ends.

-- Rotates the refresh token of a session. proofs are the session's proof under each key of SECRET_KEY,
-- the current key's first: any of them opens the row, and the first is what it keeps.
--
-- outcome is
--   rotated   the presented token was the current one, and the row has moved on;
--   repeated  it was the one before, inside the retry window: the same successor once more, because
--             a client that lost the answer, or sent the request twice, is no thief;
--   stolen    it was older, or the window has passed: two parties hold tokens of one session, so the
--             session ends;
--   refused   there is no such session, it has expired, or it is revoked.
create function pie_private.refresh_session(
  session_id uuid,
  proofs bytea[],
  generation integer,
  lifetime interval,
  retry_window interval,
  address inet,
  out outcome text,
  out current_generation integer,
  out refreshed_at timestamptz,
  out expires_at timestamptz,
  out "user" json
)
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  -- There is more than one proof only while SECRET_KEY is being changed.
  proof_hashes bytea[] := array[sha256(proofs[1])];
  session_user_id uuid;
begin
  if cardinality(proofs) > 1 then
    proof_hashes := proof_hashes || array(select sha256(proof) from unnest(proofs[2:]) as older (proof));
  end if;

  update pie_private.sessions
  set refresh_generation = sessions.refresh_generation + 1,
      refreshed_at = now(),
      last_seen_at = now(),
      expires_at = least(now() + lifetime, sessions.absolute_expires_at),
      proof_hash = proof_hashes[1],
      version = sessions.version + 1
  where sessions.id = session_id
    and sessions.refresh_generation = generation
    and sessions.proof_hash = any (proof_hashes)
    and sessions.revoked_at is null
    and sessions.expires_at > now()
  returning sessions.user_id, sessions.refresh_generation, sessions.refreshed_at, sessions.expires_at
  into session_user_id, current_generation, refreshed_at, expires_at;

  if found then
    outcome := 'rotated';
  else
    -- A loser of a race waited above for the winner, and sees here what the winner wrote.
    select sessions.user_id, sessions.refresh_generation, sessions.refreshed_at, sessions.expires_at
    into session_user_id, current_generation, refreshed_at, expires_at
    from pie_private.sessions
    where sessions.id = session_id
      and sessions.proof_hash = any (proof_hashes)
      and sessions.revoked_at is null
      and sessions.expires_at > now()
    for update;
    outcome := case
      when not found or generation > current_generation then 'refused'
      when generation = current_generation - 1 and refreshed_at > now() - retry_window then 'repeated'
      else 'stolen'
    end;
  end if;

  if outcome = 'stolen' then
    update pie_private.sessions set revoked_at = now(), revoked_reason = 'stolen' where sessions.id = session_id;
    insert into pie_private.audit_log (event, user_id, session_id, address, detail)
    values ('session.stolen', session_user_id, refresh_session.session_id, refresh_session.address,
            jsonb_build_object('presented', generation, 'current', current_generation));
  end if;
  if outcome in ('stolen', 'refused') then
    current_generation := null;
    refreshed_at := null;
    expires_at := null;
    return;
  end if;
  "user" := (select description from pie_schema.user_descriptions where id = session_user_id);
end
$$;

-- Ends a session that its holder proves. Ending it twice is the same as once.
create function pie_private.end_session(session_id uuid, proofs bytea[], reason text, address inet) returns void
  language sql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
  with ended as (
    update pie_private.sessions
    set revoked_at = now(), revoked_reason = end_session.reason
    where sessions.id = end_session.session_id
      and sessions.proof_hash = any (array(select sha256(proof) from unnest(end_session.proofs) as given (proof)))
      and sessions.revoked_at is null
    returning sessions.id, sessions.user_id
  )
  insert into pie_private.audit_log (event, user_id, session_id, address, detail)
  select 'session.ended', ended.user_id, ended.id, end_session.address, jsonb_build_object('reason', end_session.reason)
  from ended
$$;

revoke execute on function pie_private.refresh_session(uuid, bytea[], integer, interval, interval, inet) from public;
revoke execute on function pie_private.end_session(uuid, bytea[], text, inet) from public;
grant execute on function pie_private.refresh_session(uuid, bytea[], integer, interval, interval, inet) to pie_auth;
grant execute on function pie_private.end_session(uuid, bytea[], text, inet) to pie_auth;

comment on function pie_private.refresh_session(uuid, bytea[], integer, interval, interval, inet) is 'Rotates a session''s refresh token, repeats the last rotation, or ends a session whose token was stolen.';
comment on function pie_private.end_session(uuid, bytea[], text, inet) is 'Ends a session that its holder proves; idempotent.';
