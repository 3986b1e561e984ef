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

-- Ends one of the user's sessions, and what it was renewed by since it was listed. Returns which have
-- been ended: none when the user has no such session, or no longer.
create function pie_schema.end_my_session(session_id uuid) returns setof uuid
  language sql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
  select ended.id
  from pie_private.sessions,
       lateral pie_private.end_line_of_session(sessions.id, 'ended_by_user', null) as ended (id)
  where sessions.id = end_my_session.session_id
    and sessions.user_id = (select pie_schema.current_user_id())
$$;

-- Ends every session of the user's but the one that asks; also those that only a renewal would bring
-- back. Returns those of them that my_sessions lists; of no window, as if it had no end.
--
-- The user's row is locked first, in a statement of its own: whoever is renewing one of them has been
-- waited for, and the next statement sees it; and of two devices that end each other one is left.
create function pie_schema.end_my_other_sessions(renew_window interval default null) returns setof uuid
  language sql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
  select from pie_schema.users where users.id = (select pie_schema.current_user_id()) for no key update;

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
    )
$$;

revoke execute on function pie_schema.my_sessions(interval) from public;
revoke execute on function pie_schema.end_my_session(uuid) from public;
revoke execute on function pie_schema.end_my_other_sessions(interval) from public;
grant execute on function pie_schema.my_sessions(interval) to webuser;
grant execute on function pie_schema.end_my_session(uuid) to webuser;
grant execute on function pie_schema.end_my_other_sessions(interval) to webuser;

comment on function pie_schema.my_sessions(interval) is 'What the user is signed in with: every session that may act, or that was a browser''s and expired less than the window ago.';
comment on function pie_schema.end_my_session(uuid) is 'Ends one of the user''s sessions with its successors and returns their ids; none when there is no such session.';
comment on function pie_schema.end_my_other_sessions(interval) is 'Ends all of the user''s sessions but this one and returns the ids of those that my_sessions lists.';
