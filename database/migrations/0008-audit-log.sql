-- What happened, written in the transaction in which it happened, and never changed.
create table pie_private.audit_log (
  id          bigint generated always as identity primary key,
  happened_at timestamptz not null default now(),
  event       text not null,
  user_id     uuid,
  session_id  uuid,
  address     inet,
  detail      jsonb not null default '{}',
  constraint audit_log_event_is_subject_and_verb check (event ~ '^[a-z_]+\.[a-z_]+$'),
  constraint audit_log_detail_is_object check (jsonb_typeof(detail) = 'object')
);
create index audit_log_user_id_idx on pie_private.audit_log (user_id, id);

alter table pie_private.audit_log enable row level security;
alter table pie_private.audit_log force row level security;

-- Read and added to by the owner's own functions; no policy lets anyone change or delete a line.
create policy audit_log_read_by_owner on pie_private.audit_log for select to current_user using (true);
create policy audit_log_add_by_owner on pie_private.audit_log for insert to current_user with check (true);

-- Policies do not bind a superuser and know no truncate; this does.
create function pie_private.refuse_change() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'the audit log is only ever added to'
    using errcode = '42501', hint = 'To keep less of it, move old lines elsewhere with a migration of your own that says so.';
end
$$;
revoke execute on function pie_private.refuse_change() from public;
create trigger audit_log_is_append_only before update or delete or truncate on pie_private.audit_log
  for each statement execute function pie_private.refuse_change();
-- In a session of replication too, which otherwise fires no triggers.
alter table pie_private.audit_log enable always trigger audit_log_is_append_only;

create function pie_private.record_event(event text, user_id uuid, session_id uuid, address inet, detail jsonb default '{}')
  returns void
  language sql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
  insert into pie_private.audit_log (event, user_id, session_id, address, detail)
  values (event, user_id, session_id, address, detail)
$$;
revoke execute on function pie_private.record_event(text, uuid, uuid, inet, jsonb) from public;

comment on table pie_private.audit_log is 'What happened and to whom. Lines are added, never changed or deleted.';
comment on column pie_private.audit_log.id is 'The order in which lines were added.';
comment on column pie_private.audit_log.happened_at is 'When the transaction that did it began.';
comment on column pie_private.audit_log.event is 'What happened, as `subject.verb`.';
comment on column pie_private.audit_log.user_id is 'To whom; no foreign key, because a line outlives its user.';
comment on column pie_private.audit_log.session_id is 'In which session.';
comment on column pie_private.audit_log.address is 'From which network address.';
comment on column pie_private.audit_log.detail is 'What else is worth knowing. Never a secret.';
comment on function pie_private.refuse_change() is 'Trigger: refuses to change or delete a line of the audit log.';
comment on function pie_private.record_event(text, uuid, uuid, inet, jsonb) is 'Adds a line to the audit log.';
