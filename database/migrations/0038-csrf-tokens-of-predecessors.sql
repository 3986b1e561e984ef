-- compatible: nodes of the version before go on.
-- A page keeps the CSRF token that it was made with, and a session is renewed under another id by whichever tab asks first,
-- or after a change of roles. Until then, every other tab's next request was refused, with what had been typed into it.
--
-- The sessions that this one has just followed upon. The holder proves the last one; the line itself says that the others
-- were the same browser's. One that was ended, by signing out or by another password, counts for nothing, and leads no further back.
create function pie_private.list_predecessors(session_id uuid, proofs bytea[], retry_window interval) returns setof uuid
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  if pg_is_in_recovery() then
    raise exception 'this server is a standby, and decides nothing' using errcode = '25006';
  end if;
  return query with recursive line as (
    select sessions.id, sessions.created_at, sessions.user_id from pie_private.sessions
    where sessions.id = list_predecessors.session_id
      and sessions.kind = 'browser'
      and sessions.proof_hash = any (array(select sha256(proof) from unnest(list_predecessors.proofs) as given (proof)))
      and sessions.revoked_at is null
    union
    select earlier.id, earlier.created_at, earlier.user_id
    from line join pie_private.sessions as earlier on earlier.successor_id = line.id
    where line.created_at > now() - list_predecessors.retry_window
      and earlier.user_id = line.user_id
      and earlier.kind = 'browser'
      and earlier.revoked_at is null
  )
  select line.id from line where line.id <> list_predecessors.session_id;
end
$$;
revoke execute on function pie_private.list_predecessors(uuid, bytea[], interval) from public;
grant execute on function pie_private.list_predecessors(uuid, bytea[], interval) to pie_auth;

comment on function pie_private.list_predecessors(uuid, bytea[], interval) is
  'The sessions by whose renewal a browser''s session has just come to be. Its holder proves it.';
