-- compatible: nodes of the version before go on.
-- Attempts to change a password were counted by user: whoever held one session of somebody's spent them all, and kept
-- the owner from what ends the thief. Now by the line of sessions that begins with a sign-in, because that is what a thief
-- holds one of and cannot have another of without the password: a renewal goes on with its line, so it brings no new
-- attempts. And of a line apart by whether the request comes from where it signed in: a thief who has copied the owner's
-- own cookie spends from elsewhere. So there are two buckets for each sign-in, and no more than that.

-- The session that a line of renewals began with. What has been cleaned away of it is no part of it any more.
create function pie_private.first_of_line(session_id uuid, out id uuid, out address inet)
  language plpgsql stable
  set search_path = pg_catalog, pg_temp
as $$
begin
  with recursive line as (
    select sessions.id, sessions.address, 0 as renewals_since from pie_private.sessions
    where sessions.id = first_of_line.session_id
    union all
    select earlier.id, earlier.address, line.renewals_since + 1
    from line join pie_private.sessions as earlier on earlier.successor_id = line.id
  )
  select line.id, line.address into id, address from line order by line.renewals_since desc limit 1;
end
$$;

-- Whom the session acts as, and what to check the current password against. wait_seconds is null when
-- the attempt may be made; no row for a session that may not act. Ten attempts, then one a minute.
create function pie_private.begin_password_change(session_id uuid, proofs bytea[], address inet)
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
  line record;
  place text;
  wait interval;
begin
  if found_id is null then
    return;
  end if;
  select first.id, first.address into line from pie_private.first_of_line(session_id) as first;
  place := case
    when pie_private.network_of(line.address) = pie_private.network_of(begin_password_change.address) then 'here'
    else 'elsewhere'
  end;
  wait := pie_private.spend_attempt('password-change:' || line.id || ':' || place, 10, interval '1 minute');
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

-- What nodes of the version before ask: they do not say from where.
create or replace function pie_private.begin_password_change(session_id uuid, proofs bytea[])
  returns table (wait_seconds integer, user_id uuid, email text, name text, password_hash text)
  language plpgsql volatile security definer rows 1
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query select * from pie_private.begin_password_change(session_id, proofs, null::inet);
end
$$;

revoke execute on function pie_private.first_of_line(uuid) from public;
revoke execute on function pie_private.begin_password_change(uuid, bytea[], inet) from public;
grant execute on function pie_private.begin_password_change(uuid, bytea[], inet) to pie_auth;

comment on function pie_private.first_of_line(uuid) is 'The session that signed in, of those that this one has been renewed from, and from where.';
comment on function pie_private.begin_password_change(uuid, bytea[], inet) is 'Counts an attempt and returns the hash to check the current password against, or how many seconds to wait.';
comment on function pie_private.begin_password_change(uuid, bytea[]) is 'The same, for nodes of the version before.';
