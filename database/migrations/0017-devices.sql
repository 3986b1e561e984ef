-- A user's devices: what they are signed in with, and how they sign one of them out. These are for the
-- request itself (webuser), so the application's own SQL and GraphQL have them too.

-- Every session of the user that may act, or that its next request would renew.
create function pie_schema.my_sessions(renew_window interval default '0')
  returns table (
    id uuid, kind text, created_at timestamptz, last_seen_at timestamptz, expires_at timestamptz,
    assurance_level smallint, methods text[], address inet, user_agent text, is_current boolean
  )
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select sessions.id, sessions.kind, sessions.created_at, sessions.last_seen_at, sessions.expires_at,
         sessions.assurance_level, sessions.methods, sessions.address, sessions.user_agent,
         sessions.id = pie_schema.current_session_id()
  from pie_private.sessions
  where sessions.user_id = (select pie_schema.current_user_id())
    and sessions.revoked_at is null
    and sessions.successor_id is null
    and sessions.absolute_expires_at > now()
    and sessions.expires_at > now() - case sessions.kind when 'browser' then renew_window else '0' end
  order by sessions.last_seen_at desc, sessions.id
$$;

-- Ends one of the user's sessions. Returns its id, or null when the user has no such session, or no longer.
create function pie_schema.end_my_session(session_id uuid) returns uuid
  language sql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
  with ended as (
    update pie_private.sessions set revoked_at = now(), revoked_reason = 'ended_by_user'
    where sessions.id = end_my_session.session_id
      and sessions.user_id = (select pie_schema.current_user_id())
      and sessions.revoked_at is null
    returning sessions.id, sessions.user_id
  ), new_event as (
    insert into pie_private.audit_log (event, user_id, session_id, detail)
    select 'session.ended', ended.user_id, ended.id, '{"reason": "ended_by_user"}' from ended
  )
  select ended.id from ended
$$;

-- Ends every session of the user's but the one that asks; also those that only a renewal would bring back.
create function pie_schema.end_my_other_sessions() returns setof uuid
  language sql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
  with ended as (
    update pie_private.sessions set revoked_at = now(), revoked_reason = 'ended_by_user'
    where sessions.user_id = (select pie_schema.current_user_id())
      and sessions.id <> (select pie_schema.current_session_id())
      and sessions.revoked_at is null
    returning sessions.id, sessions.user_id
  ), new_event as (
    insert into pie_private.audit_log (event, user_id, session_id, detail)
    select 'session.ended', ended.user_id, ended.id, '{"reason": "ended_by_user"}' from ended
  )
  select ended.id from ended
$$;

revoke execute on function pie_schema.my_sessions(interval) from public;
revoke execute on function pie_schema.end_my_session(uuid) from public;
revoke execute on function pie_schema.end_my_other_sessions() from public;
grant execute on function pie_schema.my_sessions(interval) to webuser;
grant execute on function pie_schema.end_my_session(uuid) to webuser;
grant execute on function pie_schema.end_my_other_sessions() to webuser;

comment on function pie_schema.my_sessions(interval) is 'What the user is signed in with: every session that may act, or that was a browser''s and expired less than the window ago.';
comment on function pie_schema.end_my_session(uuid) is 'Ends one of the user''s sessions and returns its id; null when there is no such session.';
comment on function pie_schema.end_my_other_sessions() is 'Ends all of the user''s sessions but this one and returns their ids.';
