-- compatible: nodes of the version before go on.
-- SQL that got in through a hole of an application may lock what a request may touch, the user's own row for one, and keep the
-- lock for as long as it likes: it may set every timeout of its own. Whoever ends that user's sessions would wait for it. So
-- nobody waits for long: who holds what Pie waits for, and is a request, is ended (decision 30).

-- What those who prepare a database take in turn, one after the other, is a lock on this table. Anybody who can run SQL may
-- take an advisory lock. It is never altered: whoever did would wait for their own turn.
create table pie_private.turns (
  name text primary key
);
insert into pie_private.turns (name) values ('prepare');
alter table pie_private.turns enable row level security;
alter table pie_private.turns force row level security;
create policy turns_for_owner on pie_private.turns to current_user using (true) with check (true);
comment on table pie_private.turns is 'Locked by whoever prepares this database. Granted to no role.';
comment on column pie_private.turns.name is 'What the turn is for.';

-- Whether a role is one that requests connect as: cream, or the operator's own.
create function pie_private.is_request_login(name name) returns boolean
  language plpgsql stable
  set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select from pg_roles
    where pg_roles.rolname = is_request_login.name
      and pg_roles.rolcanlogin and not pg_roles.rolinherit and not pg_roles.rolsuper and not pg_roles.rolcreaterole
      and pg_roles.oid <> (select pg_class.relowner from pg_class where pg_class.oid = 'pie_private.migrations'::regclass)
      and exists (
        select from pg_auth_members
        where pg_auth_members.member = pg_roles.oid and pg_auth_members.roleid = 'webadmin'::regrole
      )
  );
end
$$;
revoke execute on function pie_private.is_request_login(name) from public;
comment on function pie_private.is_request_login(name) is 'Whether requests connect as this role.';

-- Ends the requests that keep somebody waiting for that long at a row of Pie's; and those that keep the given connection
-- waiting, whatever it waits for. Only who is no request counts as somebody: what one request does to another is the
-- application's. has_ended is false for one that this owner may not end.
--
-- Who waits may have many in front, each waiting for the next: pg_blocking_pids names also those that only stand in the
-- queue. They are ended together, because each that got the row would be waited for anew; and whoever holds it after them,
-- if they were not what kept it.
create function pie_private.end_holders(patience interval, waiter integer default null)
  returns table (pid integer, login name, has_ended boolean)
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  holder record;
  patient integer[] := '{}';
  ended integer[] := '{}';
  refused integer[] := '{}';
  is_any boolean;
begin
  -- Nearly always nobody does.
  if not exists (
    select from pg_locks where not pg_locks.granted and pg_locks.waitstart < clock_timestamp() - patience
  ) then
    return;
  end if;
  for round in 1..100 loop
    is_any := false;
    for holder in
      with recursive locks as materialized (select * from pg_locks),
      others as materialized (
        select pg_stat_activity.pid, pg_stat_activity.usename, pie_private.is_request_login(pg_stat_activity.usename) as is_request
        from pg_stat_activity
        where pg_stat_activity.usename is not null
      ),
      waiting as (
        select waiting.pid
        from locks as waiting
        join others on others.pid = waiting.pid and not others.is_request
        where not waiting.granted
          and (waiting.pid = any (patient) or waiting.waitstart < clock_timestamp() - patience)
          and (
            waiting.pid = waiter
            or waiting.locktype in ('tuple', 'transactionid') and exists (
              select from locks as row_lock
              join pg_class on pg_class.oid = row_lock.relation
              join pg_namespace on pg_namespace.oid = pg_class.relnamespace
              where row_lock.pid = waiting.pid and row_lock.locktype = 'tuple'
                and row_lock.database = (select pg_database.oid from pg_database where pg_database.datname = current_database())
                and pg_namespace.nspname in ('pie_schema', 'pie_private')
            )
          )
      ),
      chain (pid) as (
        select waiting.pid from waiting
        union
        select blocking.pid from chain, unnest(pg_blocking_pids(chain.pid)) as blocking (pid)
      ),
      found as (
        select others.pid, others.usename,
               exists (select from locks where locks.pid = others.pid and not locks.granted) as is_waiting
        from chain
        join others on others.pid = chain.pid and others.is_request
        where others.pid <> all (refused)
      )
      select found.pid, found.usename, (select array_agg(waiting.pid) from waiting) as waiters
      from found
      where round > 1 or found.is_waiting or not exists (select from found where found.is_waiting)
    loop
      patient := holder.waiters;
      has_ended := false;
      begin
        has_ended := pg_terminate_backend(holder.pid);
      exception when insufficient_privilege then null;
      end;
      if not has_ended then
        refused := refused || holder.pid;
      end if;
      is_any := is_any or has_ended;
      if holder.pid <> all (ended) then
        ended := ended || holder.pid;
        pid := holder.pid;
        login := holder.usename;
        return next;
      end if;
    end loop;
    exit when not is_any;
    -- Until they have gone, and whoever waits has got on.
    for pause in 1..50 loop
      perform pg_sleep(0.01), pg_stat_clear_snapshot();
      exit when not exists (select from pg_stat_activity where pg_stat_activity.pid = any (ended) and pg_stat_activity.pid <> all (refused));
    end loop;
  end loop;
end
$$;
revoke execute on function pie_private.end_holders(interval, integer) from public;
grant execute on function pie_private.end_holders(interval, integer) to pie_auth;
comment on function pie_private.end_holders(interval, integer) is 'Ends the requests that keep somebody waiting for that long at a row of Pie''s, and returns them.';

-- Ends the requests that their node has given up, which Postgres does not notice while it is at work; those whose statement,
-- or pause inside a transaction, has lasted longer than any should; and while requests together hold more locks than half
-- of what Postgres promises room for, those that hold most: nobody else can take one where there is no room.
-- Which roles requests connect as is kept for the time when there is none: looking for that takes a lock.
create function pie_private.end_requests(time_limit interval, given_up text[])
  returns table (pid integer, login name, reason text, has_ended boolean)
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  found record;
  logins oid[];
  room bigint := current_setting('max_locks_per_transaction')::bigint
    * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint);
  excess bigint;
begin
  begin
    logins := array(
      select pg_roles.oid from pg_roles
      where pg_roles.oid in (select pg_auth_members.member from pg_auth_members where pg_auth_members.roleid = 'webadmin'::regrole)
        and pie_private.is_request_login(pg_roles.rolname)
    );
    perform set_config('pie.request_logins', logins::text, false);
    perform pg_get_userbyid(known.id), pg_has_role(known.id, 'usage') from unnest(logins) as known (id);
  exception when out_of_memory then
    logins := coalesce(nullif(current_setting('pie.request_logins', true), ''), '{}')::oid[];
  end;
  excess := (select count(*) from pg_locks where not pg_locks.fastpath) - room / 2;
  for found in
    with activity as (
      select activity.*
      from pg_stat_get_activity(null) as activity
      where activity.usesysid = any (logins)
        and activity.datid = (select own.datid from pg_stat_get_activity(pg_backend_pid()) as own)
    ), holding as (
      select activity.pid, count(*) as locks, sum(count(*)) over (order by count(*), activity.pid) as running
      from activity join pg_locks on pg_locks.pid = activity.pid
      where excess > 0 and not pg_locks.fastpath
      group by activity.pid
    )
    select activity.pid, activity.usesysid,
           case
             when holding.pid is not null then 'locks'
             when concat(activity.pid, ' ', extract(epoch from activity.backend_start)) = any (given_up) then 'given up'
             else 'time'
           end as reason
    from activity left join holding on holding.pid = activity.pid and holding.running > room / 2
    where holding.pid is not null
      or concat(activity.pid, ' ', extract(epoch from activity.backend_start)) = any (given_up)
      or activity.state in ('active', 'fastpath function call') and activity.query_start < clock_timestamp() - time_limit
      or activity.state ^@ 'idle in transaction' and activity.state_change < clock_timestamp() - time_limit
  loop
    has_ended := false;
    begin
      has_ended := pg_terminate_backend(found.pid);
    exception when insufficient_privilege then null;
    end;
    pid := found.pid;
    login := pg_get_userbyid(found.usesysid);
    reason := found.reason;
    return next;
  end loop;
end
$$;
revoke execute on function pie_private.end_requests(interval, text[]) from public;
grant execute on function pie_private.end_requests(interval, text[]) to pie_auth;
comment on function pie_private.end_requests(interval, text[]) is 'Ends the requests that went on for too long, were given up, or hold most of the locks, and returns them.';

-- An owner who is no superuser ends only what runs as a role whose rights it has: cream''s own, which are few. Where it may not
-- take them, the doctor says what to do.
do $$
begin
  if not pg_has_role('cream', 'usage') then
    if current_setting('server_version_num')::integer >= 160000 then
      execute format('grant cream to %I with inherit true, set false', current_user);
    else
      execute format('grant cream to %I', current_user);
    end if;
  end if;
exception when insufficient_privilege then null;
end
$$;

-- Whoever signs a device out waits as pie_auth, then, and not as a request.
create function pie_private.user_of_session(session_id uuid, proofs bytea[]) returns uuid
  language plpgsql stable
  set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select checked.user_id
    from pie_private.check_session(user_of_session.session_id, coalesce(
      (
        select given.proof from unnest(user_of_session.proofs) as given (proof)
        join pie_private.sessions on sessions.id = user_of_session.session_id and sessions.proof_hash = sha256(given.proof)
      ),
      user_of_session.proofs[1]
    )) as checked
  );
end
$$;
revoke execute on function pie_private.user_of_session(uuid, bytea[]) from public;
comment on function pie_private.user_of_session(uuid, bytea[]) is 'Whom a session that its holder proves acts as, or raises 28000.';

create function pie_private.end_session_of(user_id uuid, session_id uuid) returns setof uuid
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select ended.id
    from pie_private.sessions,
         lateral pie_private.end_line_of_session(sessions.id, 'ended_by_user', null) as ended (id)
    where sessions.id = end_session_of.session_id
      and sessions.user_id = end_session_of.user_id;
end
$$;
revoke execute on function pie_private.end_session_of(uuid, uuid) from public;
comment on function pie_private.end_session_of(uuid, uuid) is 'Ends one of a user''s sessions with its successors, as they wish, and returns their ids.';

create function pie_private.end_sessions_but(user_id uuid, session_id uuid, renew_window interval) returns setof uuid
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform from pie_schema.users where users.id = end_sessions_but.user_id for no key update;

  -- Of two devices that sign each other out, the second has been waiting here, and is signed out by now.
  return query
    with ended as (
      update pie_private.sessions set revoked_at = now(), revoked_reason = 'ended_by_user'
      where sessions.user_id = end_sessions_but.user_id
        and sessions.id <> end_sessions_but.session_id
        and exists (
          select from pie_private.sessions as own
          where own.id = end_sessions_but.session_id and own.revoked_at is null and own.expires_at > now()
        )
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
      );
end
$$;
revoke execute on function pie_private.end_sessions_but(uuid, uuid, interval) from public;
comment on function pie_private.end_sessions_but(uuid, uuid, interval) is 'Ends all of a user''s sessions but one, as they wish, and returns the ids of those that my_sessions lists.';

create function pie_private.end_session_of_holder(session_id uuid, proofs bytea[], ended_id uuid) returns setof uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query select * from pie_private.end_session_of(pie_private.user_of_session(session_id, proofs), ended_id);
end
$$;
revoke execute on function pie_private.end_session_of_holder(uuid, bytea[], uuid) from public;
grant execute on function pie_private.end_session_of_holder(uuid, bytea[], uuid) to pie_auth;
comment on function pie_private.end_session_of_holder(uuid, bytea[], uuid) is 'end_my_session for whoever proves a session, or raises 28000.';

create function pie_private.end_other_sessions_of_holder(session_id uuid, proofs bytea[], renew_window interval) returns setof uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select * from pie_private.end_sessions_but(pie_private.user_of_session(session_id, proofs), session_id, renew_window);
end
$$;
revoke execute on function pie_private.end_other_sessions_of_holder(uuid, bytea[], interval) from public;
grant execute on function pie_private.end_other_sessions_of_holder(uuid, bytea[], interval) to pie_auth;
comment on function pie_private.end_other_sessions_of_holder(uuid, bytea[], interval) is 'end_my_other_sessions for whoever proves a session, or raises 28000.';

create or replace function pie_schema.end_my_session(session_id uuid) returns setof uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query select * from pie_private.end_session_of((select pie_schema.current_user_id()), session_id);
end
$$;

create or replace function pie_schema.end_my_other_sessions(renew_window interval default null) returns setof uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select * from pie_private.end_sessions_but(
      (select pie_schema.current_user_id()), (select pie_schema.current_session_id()), renew_window);
end
$$;
