-- How a session ends that may have been renewed: with what continued it.

-- A renewed session whose successor is deleted must not become renewable again.
alter table pie_private.sessions drop constraint sessions_successor_id_fkey;
alter table pie_private.sessions add constraint sessions_successor_id_fkey
  foreign key (successor_id) references pie_private.sessions (id) on delete cascade;

-- Ends a session with its successors, and returns the ids of those that it has ended.
--
-- The user's row is locked first, in a statement of its own, as by everything that starts, renews or ends
-- sessions: whoever is renewing one has been waited for, and the next statement sees the successor.
create function pie_private.end_line_of_session(session_id uuid, reason text, address inet) returns setof uuid
  language sql volatile
  set search_path = pg_catalog, pg_temp
as $$
  select from pie_schema.users
  where users.id = (select sessions.user_id from pie_private.sessions where sessions.id = end_line_of_session.session_id)
  for no key update;

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
  select ended.id from ended
$$;

-- Ends a session that its holder proves. Ending it twice is the same as once. As in 0012, but with its
-- successors, and it says which: the node that asked has to forget them all.
drop function pie_private.end_session(uuid, bytea[], text, inet);
create function pie_private.end_session(session_id uuid, proofs bytea[], reason text, address inet) returns setof uuid
  language sql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
  select ended.id
  from pie_private.sessions,
       lateral pie_private.end_line_of_session(sessions.id, end_session.reason, end_session.address) as ended (id)
  where sessions.id = end_session.session_id
    and sessions.proof_hash = any (array(select sha256(proof) from unnest(end_session.proofs) as given (proof)))
$$;

revoke execute on function pie_private.end_line_of_session(uuid, text, inet) from public;
revoke execute on function pie_private.end_session(uuid, bytea[], text, inet) from public;
grant execute on function pie_private.end_session(uuid, bytea[], text, inet) to pie_auth;

comment on function pie_private.end_line_of_session(uuid, text, inet) is 'Ends a session and its successors; returns which.';
comment on function pie_private.end_session(uuid, bytea[], text, inet) is 'Ends a session that its holder proves, with its successors, and returns which; idempotent.';
