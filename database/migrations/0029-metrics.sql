-- compatible: nodes of the version before go on.
--
-- What operators watch, and what a node has to ask for it.

-- How many sessions may act now. Exact while the table is small; of a larger one, a thousand pages are read, always the same
-- ones, and what they hold stands for the rest: an index on what expires would be written at every refresh for it.
create function pie_private.estimate_live_sessions() returns bigint
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  pages bigint := pg_relation_size('pie_private.sessions') / current_setting('block_size')::bigint;
  share double precision := least(100, 100 * 1000.0 / greatest(pages, 1));
begin
  return (
    select round(count(*) * 100 / share) from pie_private.sessions tablesample system (share) repeatable (0)
    where sessions.revoked_at is null and sessions.expires_at > now()
  );
end
$$;

-- When a session was revoked: by what a node heard of it, the node knows how long it took.
create function pie_private.session_revoked_at(session_id uuid) returns timestamptz
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return (select sessions.revoked_at from pie_private.sessions where sessions.id = session_id);
end
$$;

revoke execute on function pie_private.estimate_live_sessions() from public;
revoke execute on function pie_private.session_revoked_at(uuid) from public;
grant execute on function pie_private.estimate_live_sessions() to pie_auth;
grant execute on function pie_private.session_revoked_at(uuid) to pie_auth;

comment on function pie_private.estimate_live_sessions() is 'How many sessions may act now: counted, or estimated from a thousand pages of them.';
comment on function pie_private.session_revoked_at(uuid) is 'When a session was revoked; null for one that is not, or is not there.';
