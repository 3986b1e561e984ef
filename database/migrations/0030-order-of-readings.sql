-- compatible: nodes of the version before go on.
-- When something was read is also said by the count of transactions, which nobody can set back. Two clocks of two
-- servers, or one that has been set, do not say which of two readings was the later one.
create or replace view pie_private.session_descriptions with (security_invoker = true) as
  select
    sessions.id,
    sessions.proof_hash,
    -- May act, or may be renewed by what it was.
    sessions.revoked_at is null and sessions.absolute_expires_at > now() as is_usable,
    json_build_object(
      -- Milliseconds since 1970. The transaction began before this statement looked, so whatever was
      -- committed before then is in here.
      'read_at', extract(epoch from now()) * 1000,
      -- Every transaction that had ended when this statement looked has a lower number; it is the snapshot that is
      -- read in here. A heartbeat takes a number, so whoever looks after it has come back has a higher one.
      'read_after', pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
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
comment on column pie_private.session_descriptions.description is 'The session and its user as JSON, with their versions and the moment of reading.';
