-- compatible: nodes of the version before go on.
--
-- The audit log in partitions, one for each month (UTC), so that old ones can go whole: lines are still never changed or
-- deleted. What there was is the first partition, with its ids, and nothing is copied. Who works on audit_log sees no difference.

-- Looks at every line, and holds nobody up: what takes its time here takes it before the lock below.
alter table pie_private.audit_log validate constraint audit_log_ends;

-- From here on whoever adds a line waits, for some milliseconds, however long the log is: that all of it is from before its end
-- has just been seen, and there is no index to be made.
lock table pie_private.audit_log in access exclusive mode;
select set_config('pie.audit_log_last_id', last_value::text, true), set_config('pie.audit_log_is_called', is_called::text, true)
from pie_private.audit_log_id_seq;
alter table pie_private.audit_log alter column id drop identity;
alter table pie_private.audit_log rename constraint audit_log_pkey to audit_log_first_pkey;
alter index pie_private.audit_log_user_id_idx rename to audit_log_first_user_id_idx;
alter table pie_private.audit_log rename to audit_log_first;

-- An id is unique in each partition, by its primary key, and in all of them, because one sequence gives it out: a primary key
-- here would have to hold the time as well, and be made of every line that there is.
create table pie_private.audit_log (
  id          bigint generated always as identity,
  happened_at timestamptz not null default now(),
  event       text not null,
  user_id     uuid,
  session_id  uuid,
  address     inet,
  detail      jsonb not null default '{}',
  constraint audit_log_event_is_subject_and_verb check (event ~ '^[a-z_]+\.[a-z_]+$'),
  constraint audit_log_detail_is_object check (jsonb_typeof(detail) = 'object')
) partition by range (happened_at);
create index audit_log_user_id_idx on pie_private.audit_log (user_id, id);
select setval(pg_get_serial_sequence('pie_private.audit_log', 'id'),
  current_setting('pie.audit_log_last_id')::bigint, current_setting('pie.audit_log_is_called')::boolean);

alter table pie_private.audit_log enable row level security;
alter table pie_private.audit_log force row level security;
create policy audit_log_read_by_owner on pie_private.audit_log for select to current_user using (true);
create policy audit_log_add_by_owner on pie_private.audit_log for insert to current_user with check (true);
create trigger audit_log_is_append_only before update or delete or truncate on pie_private.audit_log
  for each statement execute function pie_private.refuse_change();
alter table pie_private.audit_log enable always trigger audit_log_is_append_only;

do $$
declare
  ends text := (
    select substring(pg_get_constraintdef(oid) from '''([^'']+)''') from pg_constraint
    where conrelid = 'pie_private.audit_log_first'::regclass and conname = 'audit_log_ends'
  );
begin
  execute format('alter table pie_private.audit_log attach partition pie_private.audit_log_first for values from (minvalue) to (%L)', ends);
end
$$;
alter table pie_private.audit_log_first drop constraint audit_log_ends;

create or replace function pie_private.refuse_change() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'the audit log is only ever added to'
    using errcode = '42501', hint = 'To keep less of it, set AUDIT_RETENTION: then months that are older are dropped whole.';
end
$$;

-- What is there, and of when. The bounds are read in the words in which they are written, whatever the session says.
create function pie_private.list_audit_partitions()
  returns table (name text, starts_at timestamptz, ends_at timestamptz, is_default boolean)
  language plpgsql stable
  set search_path = pg_catalog, pg_temp set datestyle = 'ISO' set timezone = 'UTC'
as $$
begin
  return query
    select
      pg_class.relname::text,
      coalesce(substring(bound.text from '^FOR VALUES FROM \(''([^'']+)''\)'), '-infinity')::timestamptz,
      coalesce(substring(bound.text from ' TO \(''([^'']+)''\)$'), 'infinity')::timestamptz,
      bound.text = 'DEFAULT'
    from pg_inherits
    join pg_class on pg_class.oid = pg_inherits.inhrelid
    cross join lateral (select pg_get_expr(pg_class.relpartbound, pg_class.oid)) as bound (text)
    where pg_inherits.inhparent = 'pie_private.audit_log'::regclass;
end
$$;

-- Makes one partition as the log itself is: nobody is granted it, row-level security is forced, and lines are only added, also by
-- whoever names it and not the log, and in a session of replication. Attached, not made as a partition, because that
-- would have everybody wait who adds a line.
create function pie_private.make_audit_partition(name text, bounds text) returns void
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('create table pie_private.%I (like pie_private.audit_log including all excluding identity excluding indexes, primary key (id))', name);
  execute format('alter table pie_private.%I enable row level security, force row level security', name);
  execute format('create policy audit_log_read_by_owner on pie_private.%I for select to current_user using (true)', name);
  execute format('create policy audit_log_add_by_owner on pie_private.%I for insert to current_user with check (true)', name);
  execute format('create trigger audit_log_is_append_only before update or delete or truncate on pie_private.%I for each statement execute function pie_private.refuse_change()', name);
  execute format('alter table pie_private.%I enable always trigger audit_log_is_append_only', name);
  execute format('comment on table pie_private.%I is %L', name, 'Lines of the audit log: a partition of it.');
  execute format('alter table pie_private.audit_log attach partition pie_private.%I %s', name, bounds);
end
$$;

-- Makes this month's partition and the next three, where they are not there yet; returns how many it has made. A month of which
-- the default partition has lines stays without: they are as well kept there.
--
-- It waits a second at most for whoever reads the log, such as a dump, and is called again; nobody who adds a line waits for it.
create function pie_private.make_audit_months() returns integer
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp set datestyle = 'ISO' set timezone = 'UTC' set lock_timeout = '1s'
as $$
declare
  month timestamp;
  made integer := 0;
begin
  if (
    select count(*) from generate_series(0, 3) as ahead
    where exists (
      select from pie_private.list_audit_partitions() as part
      where not part.is_default
        and date_trunc('month', now()) + make_interval(months => ahead) >= part.starts_at
        and date_trunc('month', now()) + make_interval(months => ahead) < part.ends_at
    )
  ) = 4 then
    return 0;
  end if;
  -- Of several nodes one makes them.
  lock table only pie_private.audit_log in share update exclusive mode;
  if not exists (select from pie_private.list_audit_partitions() as part where part.is_default) then
    perform pie_private.make_audit_partition('audit_log_default', 'default');
  end if;
  for month in
    select date_trunc('month', now() at time zone 'UTC') + make_interval(months => ahead) from generate_series(0, 3) as ahead
  loop
    if exists (
      select from pie_private.list_audit_partitions() as part
      where not part.is_default
        and part.starts_at < (month + interval '1 month') at time zone 'UTC' and part.ends_at > month at time zone 'UTC'
    ) or exists (
      select from pie_private.audit_log_default as line
      where line.happened_at >= month at time zone 'UTC' and line.happened_at < (month + interval '1 month') at time zone 'UTC'
    ) then
      continue;
    end if;
    begin
      perform pie_private.make_audit_partition(
        'audit_log_' || to_char(month, 'YYYY_MM'),
        format('for values from (%L) to (%L)', to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
          to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00')
      );
      made := made + 1;
    exception when check_violation or duplicate_table then
      null;
    end;
  end loop;
  return made;
exception when lock_not_available then
  return 0;
end
$$;

-- Drops the partitions of which every line is older than the retention, which is 30 days at least; returns how many. Of the default
-- one, if it has any, all lines have to be.
--
-- To drop one, nobody may be adding a line, and while it waits for that, nobody begins to: so it waits a tenth of a second, and is
-- called again.
create function pie_private.drop_audit_months(retention interval) returns integer
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp set datestyle = 'ISO' set timezone = 'UTC' set lock_timeout = '100ms'
as $$
declare
  kept_from timestamptz := now() - least(greatest(retention, interval '30 days'), interval '1000 years');
  part record;
  is_over boolean;
  dropped text[] := '{}';
begin
  for part in select * from pie_private.list_audit_partitions() as list order by list.starts_at loop
    is_over := part.ends_at <= kept_from;
    if part.is_default then
      execute format('select max(happened_at) < %L from pie_private.%I', kept_from, part.name) into is_over;
    end if;
    continue when is_over is not true;
    lock table only pie_private.audit_log in access exclusive mode;
    if part.is_default then
      execute format('select max(happened_at) < %L from pie_private.%I', kept_from, part.name) into is_over;
      continue when is_over is not true;
    end if;
    execute format('drop table pie_private.%I', part.name);
    if part.is_default then
      perform pie_private.make_audit_partition(part.name, 'default');
    end if;
    dropped := dropped || part.name;
  end loop;
  if cardinality(dropped) > 0 then
    perform pie_private.record_event('audit.dropped', null, null, null,
      jsonb_build_object('partitions', dropped, 'older_than', kept_from));
  end if;
  return cardinality(dropped);
exception when lock_not_available or undefined_table then
  return 0;
end
$$;

-- A partition has the comments of the log, which therefore come first.
comment on table pie_private.audit_log is 'What happened and to whom, a partition for each month. Lines are added, never changed or deleted.';
comment on column pie_private.audit_log.id is 'The order in which lines were added.';
comment on column pie_private.audit_log.happened_at is 'When the transaction that did it began.';
comment on column pie_private.audit_log.event is 'What happened, as `subject.verb`.';
comment on column pie_private.audit_log.user_id is 'To whom; no foreign key, because a line outlives its user.';
comment on column pie_private.audit_log.session_id is 'In which session.';
comment on column pie_private.audit_log.address is 'From which network address.';
comment on column pie_private.audit_log.detail is 'What else is worth knowing. Never a secret.';
comment on table pie_private.audit_log_first is 'Lines of the audit log from before it had a partition for each month: a partition of it.';

select from pie_private.make_audit_partition('audit_log_default', 'default');
select from pie_private.make_audit_months();

revoke execute on function pie_private.list_audit_partitions() from public;
revoke execute on function pie_private.make_audit_partition(text, text) from public;
revoke execute on function pie_private.make_audit_months() from public;
revoke execute on function pie_private.drop_audit_months(interval) from public;
grant execute on function pie_private.make_audit_months() to pie_auth;
grant execute on function pie_private.drop_audit_months(interval) to pie_auth;

comment on function pie_private.list_audit_partitions() is 'The partitions of the audit log, and of when they are.';
comment on function pie_private.make_audit_partition(text, text) is 'Makes a partition of the audit log, of a name and with bounds.';
comment on function pie_private.make_audit_months() is 'Makes the partitions of this month and the next three, where they are not there; returns how many.';
comment on function pie_private.drop_audit_months(interval) is 'Drops the partitions that are wholly older than the retention, and than 30 days; returns how many.';
