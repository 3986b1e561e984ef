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

-- Ends the connections of requests that hold a row of Pie's for which somebody has waited that long; and whatever it is that the
-- given connection has waited for that long. No other: of those who merely wait in front of somebody none is ended.
-- has_ended is false for one that this owner may not end.
--
-- The lock manager says who holds: a row names the subtransaction that has locked it, and from there nothing that SQL can see
-- leads to the transaction. Several may hold one row, and are met one after the other: who has waited long once has done so.
create function pie_private.end_holders(patience interval, waiter integer default null)
  returns table (pid integer, login name, has_ended boolean)
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  holder record;
  patient integer[] := '{}';
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
      with locks as materialized (select * from pg_locks)
      select held.pid, pg_stat_activity.usename, array_agg(waiting.pid) as waiters
      from locks as waiting
      join locks as held on held.granted and held.locktype = waiting.locktype
        and (held.database, held.relation, held.transactionid, held.virtualxid, held.classid, held.objid, held.objsubid)
          is not distinct from (waiting.database, waiting.relation, waiting.transactionid, waiting.virtualxid,
            waiting.classid, waiting.objid, waiting.objsubid)
      join pg_stat_activity on pg_stat_activity.pid = held.pid
      where not waiting.granted and waiting.locktype <> 'tuple'
        and (waiting.pid = any (patient) or waiting.waitstart < clock_timestamp() - patience)
        and (
          waiting.pid = waiter
          or waiting.locktype = 'transactionid' and exists (
            select from locks as row_lock
            join pg_class on pg_class.oid = row_lock.relation
            join pg_namespace on pg_namespace.oid = pg_class.relnamespace
            where row_lock.pid = waiting.pid and row_lock.locktype = 'tuple' and row_lock.granted
              and row_lock.database = (select pg_database.oid from pg_database where pg_database.datname = current_database())
              and pg_namespace.nspname in ('pie_schema', 'pie_private')
          )
        )
        and held.pid <> all (refused)
        and held.pid = any (pg_blocking_pids(waiting.pid))
        and pie_private.is_request_login(pg_stat_activity.usename)
      group by held.pid, pg_stat_activity.usename
    loop
      patient := patient || holder.waiters;
      has_ended := false;
      begin
        has_ended := pg_terminate_backend(holder.pid);
      exception when insufficient_privilege then null;
      end;
      if not has_ended then
        refused := refused || holder.pid;
      end if;
      is_any := is_any or has_ended;
      if round = 1 or not has_ended then
        pid := holder.pid;
        login := holder.usename;
        return next;
      end if;
    end loop;
    exit when not is_any;
    -- Until it has gone, and whoever waits has got on.
    perform pg_sleep(0.01);
  end loop;
end
$$;
revoke execute on function pie_private.end_holders(interval, integer) from public;
grant execute on function pie_private.end_holders(interval, integer) to pie_auth;
comment on function pie_private.end_holders(interval, integer) is 'Ends the connections of requests for which somebody has waited that long at a row of Pie''s, and returns them.';

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
