-- compatible: nodes of the version before go on.
--
-- What is over is deleted, by functions that no request calls: each deletes a batch of one kind, waits for nobody that holds
-- a row, and says how many it has deleted. Nodes call them (features/operations/clean-up.ts); any number may at once.

-- From here on networks are looked for nowhere else. Sessions in use have made theirs known by their next visit.
create or replace function pie_private.is_known_network(user_id uuid, network text) returns boolean
  language plpgsql stable
  set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select from pie_private.known_networks as known
    where known.user_id = is_known_network.user_id
      and known.network = is_known_network.network
      and known.last_seen_at > now() - interval '90 days'
  );
end
$$;

-- As in 0011, but that it clears nothing away, and looks for the networks of an account that there is not as it does for
-- others: by an id that nobody has.
create or replace function pie_private.begin_password_sign_in(email text, address inet)
  returns table (wait_seconds integer, user_id uuid, password_hash text)
  language plpgsql volatile security definer rows 1
  set search_path = pg_catalog, pg_temp
as $$
declare
  network text := pie_private.network_of(address);
  account text := encode(sha256(convert_to(email, 'utf8')), 'hex');
  found_id uuid;
  found_hash text;
  wait interval;
begin
  -- Counted at once, but not waited for on disk: everybody behind one address shares a bucket, and a
  -- crash that forgives the last half second of attempts is not worth a queue of sign-ins.
  perform set_config('synchronous_commit', 'off', true);

  select user_emails.user_id, passwords.hash into found_id, found_hash
  from pie_schema.user_emails
  left join pie_private.passwords on passwords.user_id = user_emails.user_id
  where user_emails.email = begin_password_sign_in.email;

  wait := pie_private.spend_attempt('network:' || network, 100, interval '10 seconds');
  if wait is null then
    wait := pie_private.spend_attempt('account-network:' || account || ':' || network, 10, interval '1 minute');
  end if;
  if wait is null and not pie_private.is_known_network(
    coalesce(found_id, '00000000-0000-0000-0000-000000000000'), network
  ) then
    wait := pie_private.spend_attempt('account:' || account, 50, interval '30 seconds');
  end if;

  if wait is not null then
    return query select ceil(extract(epoch from wait))::integer, null::uuid, null::text;
  else
    return query select null::integer, found_id, found_hash;
  end if;
end
$$;

-- As in 0011 and 0020, but that they clear nothing away.
create or replace function pie_private.begin_registration(address inet) returns integer
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return ceil(extract(epoch from pie_private.spend_attempt(
    'registration:' || pie_private.network_of(address), 60, interval '10 seconds'
  )))::integer;
end
$$;

create or replace function pie_private.use_csrf_token(token_hash bytea, expires_at timestamptz) returns boolean
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  insert into pie_private.used_csrf_tokens (token_hash, expires_at) values (token_hash, expires_at)
  on conflict on constraint used_csrf_tokens_pkey do nothing;
  return found;
end
$$;

-- What 0033 needs to know of the audit log, whose last line it reads here, before there is anything that others wait for: where it
-- ends, as its first partition. (A clock that was wrong once may have left a line of the future.)
select set_config('pie.audit_log_ends', to_char(
  greatest(
    date_trunc('month', now() at time zone 'UTC') + interval '2 months',
    date_trunc('month', max(audit_log.happened_at) at time zone 'UTC') + interval '1 month'
  ), 'YYYY-MM-DD'
), true)
from pie_private.audit_log;

-- What ended, by when it did. Neither column changes while a session is in use, so that being seen and refreshing write to no
-- index still. On a table of millions, whoever has made both beforehand, `concurrently`, waits for nothing here.
create index if not exists sessions_revoked_at_idx on pie_private.sessions (revoked_at) where revoked_at is not null;
create index if not exists sessions_absolute_expires_at_idx on pie_private.sessions (absolute_expires_at)
  where revoked_at is null;

-- Sessions that ended seven days ago: were revoked, or came to their absolute limit. Whatever they were, nothing brings them
-- back, so what is kept is for people: from where, and with what, somebody was signed in last week. One that has merely
-- expired may be renewed, for as long as settings say, which are not known here; it stays until its limit.
--
-- A session that was renewed goes together with what it was renewed by, and the earlier one first. Otherwise its foreign key
-- would have each deleted by the next, one inside the other, however many there are. None goes whose successor may act.
--
-- Chosen is the last of each line that goes, once its whole line is in hand: one of which somebody holds a part takes nobody's
-- place in the batch, however many such lines there are and however long they are over.
--
-- Written so that every look-up is one by an index, of one row: joins are planned by what Postgres remembers of the table,
-- which is least true while millions of its rows go.

-- Takes what was renewed by a session in hand, first by the one before it and so on, and waits for nobody: whether that could be
-- done with all of it.
create function pie_private.lock_renewed(session_id uuid) returns boolean
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
declare
  line uuid[] := array(
    with recursive line as (
      select sessions.id from pie_private.sessions where sessions.successor_id = session_id
      union all
      select earlier.id
      from line
      cross join lateral (
        select sessions.id from pie_private.sessions where sessions.successor_id = line.id offset 0
      ) as earlier
    )
    select line.id from line
  );
begin
  return cardinality(line) = cardinality(array(
    select sessions.id from pie_private.sessions where sessions.id = any (line) for update skip locked
  ));
end
$$;

-- Whether a session whose successor this is goes by itself: the successor may not act, and does not go, which would take it along.
create function pie_private.goes_by_itself(successor_id uuid) returns boolean
  language plpgsql stable
  set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce((
    select (next.revoked_at is not null or next.absolute_expires_at <= now())
      and not (
        coalesce(next.revoked_at, next.absolute_expires_at) < now() - interval '7 days'
        and coalesce((
          select after_next.revoked_at is not null or after_next.absolute_expires_at <= now()
          from pie_private.sessions as after_next where after_next.id = next.successor_id
        ), true)
      )
    from pie_private.sessions as next where next.id = goes_by_itself.successor_id
  ), true);
end
$$;

create function pie_private.delete_ended_sessions(most integer) returns integer
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off
as $$
declare
  ended uuid[];
  lines uuid[];
  deleted integer;
begin
  -- A crash that forgets the last of these has them deleted again.
  perform set_config('synchronous_commit', 'off', true);

  -- `case`, because only it says what is looked at first.
  ended := array(
    select sessions.id from pie_private.sessions
    where sessions.revoked_at < now() - interval '7 days'
      and case
        when sessions.successor_id is not null and not pie_private.goes_by_itself(sessions.successor_id) then false
        when (select earlier.id from pie_private.sessions as earlier where earlier.successor_id = sessions.id) is null then true
        else pie_private.lock_renewed(sessions.id)
      end
    order by sessions.revoked_at
    limit most
    for update of sessions skip locked
  );
  if cardinality(ended) < most then
    ended := ended || array(
      select sessions.id from pie_private.sessions
      where sessions.revoked_at is null and sessions.absolute_expires_at < now() - interval '7 days'
        and case
          when sessions.successor_id is not null and not pie_private.goes_by_itself(sessions.successor_id) then false
          when (select earlier.id from pie_private.sessions as earlier where earlier.successor_id = sessions.id) is null then true
          else pie_private.lock_renewed(sessions.id)
        end
      order by sessions.absolute_expires_at
      limit most - cardinality(ended)
      for update of sessions skip locked
    );
  end if;
  if cardinality(ended) = 0 then
    return 0;
  end if;

  lines := array(
    with recursive line as (
      select unnest(ended) as id
      union
      select earlier.id
      from line
      cross join lateral (
        select sessions.id from pie_private.sessions where sessions.successor_id = line.id offset 0
      ) as earlier
    )
    select line.id from line
  );

  with recursive whole as (
    select sessions.id, sessions.successor_id from pie_private.sessions
    where sessions.id = any (lines)
      and (select earlier.id from pie_private.sessions as earlier where earlier.successor_id = sessions.id) is null
    union all
    select next.id, next.successor_id
    from whole
    cross join lateral (
      select sessions.id, sessions.successor_id from pie_private.sessions where sessions.id = whole.successor_id offset 0
    ) as next
    where next.id = any (lines)
  )
  delete from pie_private.sessions where sessions.id = any (array(select whole.id from whole limit most));
  get diagnostics deleted = row_count;
  return deleted;
end
$$;

-- Buckets that ran empty an hour ago: they say nothing any more, and nobody is about to wait for one.
create function pie_private.delete_empty_throttles(most integer) returns integer
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  deleted integer;
begin
  perform set_config('synchronous_commit', 'off', true);
  delete from pie_private.throttles
  where throttles.key = any (array(
    select stale.key from pie_private.throttles as stale
    where stale.empty_at < now() - interval '1 hour'
    order by stale.empty_at
    limit most
    for update skip locked
  ));
  get diagnostics deleted = row_count;
  return deleted;
end
$$;

-- Tokens that expired an hour ago could not be used anyway. The hour is for clocks that differ.
create function pie_private.delete_used_csrf_tokens(most integer) returns integer
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  deleted integer;
begin
  perform set_config('synchronous_commit', 'off', true);
  delete from pie_private.used_csrf_tokens as used
  where used.token_hash = any (array(
    select stale.token_hash from pie_private.used_csrf_tokens as stale
    where stale.expires_at < now() - interval '1 hour'
    order by stale.expires_at
    limit most
    for update skip locked
  ));
  get diagnostics deleted = row_count;
  return deleted;
end
$$;

-- Networks that is_known_network looks for no longer.
create function pie_private.delete_forgotten_networks(most integer) returns integer
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  deleted integer;
begin
  perform set_config('synchronous_commit', 'off', true);
  delete from pie_private.known_networks as known
  using (
    select stale.user_id, stale.network from pie_private.known_networks as stale
    where stale.last_seen_at < now() - interval '90 days'
    order by stale.last_seen_at
    limit most
    for update skip locked
  ) as forgotten
  where known.user_id = forgotten.user_id and known.network = forgotten.network;
  get diagnostics deleted = row_count;
  return deleted;
end
$$;

revoke execute on function pie_private.lock_renewed(uuid) from public;
revoke execute on function pie_private.goes_by_itself(uuid) from public;
revoke execute on function pie_private.delete_ended_sessions(integer) from public;
revoke execute on function pie_private.delete_empty_throttles(integer) from public;
revoke execute on function pie_private.delete_used_csrf_tokens(integer) from public;
revoke execute on function pie_private.delete_forgotten_networks(integer) from public;
grant execute on function pie_private.delete_ended_sessions(integer) to pie_auth;
grant execute on function pie_private.delete_empty_throttles(integer) to pie_auth;
grant execute on function pie_private.delete_used_csrf_tokens(integer) to pie_auth;
grant execute on function pie_private.delete_forgotten_networks(integer) to pie_auth;

comment on function pie_private.lock_renewed(uuid) is 'Locks what was renewed by a session, waiting for nobody; returns whether that was all of it.';
comment on function pie_private.goes_by_itself(uuid) is 'Whether what ended goes although it was renewed: by its successor, which may not act and stays for now.';
comment on function pie_private.delete_ended_sessions(integer) is 'Deletes sessions that ended seven days ago, so many at most; returns how many.';
comment on function pie_private.delete_empty_throttles(integer) is 'Deletes buckets that ran empty an hour ago, so many at most; returns how many.';
comment on function pie_private.delete_used_csrf_tokens(integer) is 'Deletes used CSRF tokens that expired an hour ago, so many at most; returns how many.';
comment on function pie_private.delete_forgotten_networks(integer) is 'Deletes known networks that were not seen for 90 days, so many at most; returns how many.';
comment on function pie_private.clear_empty_throttles() is 'Nothing calls it any more: delete_empty_throttles does its work.';

-- For 0033: every line that is there, and every one that is yet to come before it, is from before. 0033 looks at those that
-- are there, while more are added; here nothing is looked at. At the end, because whoever adds a line waits for the end.
do $$
begin
  execute format('alter table pie_private.audit_log add constraint audit_log_ends check (happened_at < %L) not valid',
    current_setting('pie.audit_log_ends') || ' 00:00:00+00');
end
$$;
