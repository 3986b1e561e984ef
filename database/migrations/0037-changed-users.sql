-- compatible: nodes of the version before go on.
-- One more function that the application defines and Pie calls (0023-hooks.sql):
--
--   pie_hooks.after_user_changed(user_id uuid)   a user has another name, other addresses or roles, or has been disabled or
--                                                enabled
--
-- Whichever door it happens through, in the transaction in which it happens, at the end of the statement: once for each
-- statement and user, however many rows it changed. Not for what leaves all of that as it was, such as a new version; not in
-- the transaction that makes the user, nor in one that deletes them; not for what a role may do, which changes no user; not
-- for truncate. What a hook itself changes of a user whom it has been called for is not told to it again.

-- For whom the hook is not to be called just now. A row in a table and not a setting: SQL that got into a request could set
-- that.
create table pie_private.held_changes (
  user_id uuid primary key
);
alter table pie_private.held_changes enable row level security;
alter table pie_private.held_changes force row level security;
-- The functions below, which run as the owner; nobody else is granted this table.
create policy held_changes_for_owner on pie_private.held_changes to current_user using (true) with check (true);

-- What all hooks have in common.
create function pie_private.run_hook(hook text, user_id uuid) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  -- A hook that waits for somebody else's lock holds up a sign-up.
  set lock_timeout = '3s'
as $$
declare
  code text;
  reason text;
begin
  if to_regprocedure(format('pie_hooks.%I(uuid)', hook)) is null then
    return;
  end if;
  begin
    execute format('select pie_hooks.%I($1)', hook) using user_id;
  -- OTHERS leaves these two out: a hook that runs into statement_timeout, or asserts.
  exception when query_canceled or assert_failure or others then
    get stacked diagnostics code = returned_sqlstate, reason = message_text;
    if current_setting('pie.hook_failures', true) = 'refuse' then
      raise exception 'pie_hooks.% failed with SQLSTATE %: %', hook, code, reason using errcode = 'PI002';
    end if;
    insert into pie_private.audit_log (event, user_id, detail)
    values ('hook.failed', run_hook.user_id,
      jsonb_build_object('function', 'pie_hooks.' || hook, 'sqlstate', code, 'message', left(reason, 500)));
    raise warning 'pie_hooks.% failed with SQLSTATE %: %', hook, code, reason using errcode = code;
  end;
end
$$;
revoke execute on function pie_private.run_hook(text, uuid) from public;

create or replace function pie_private.call_hook() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform pie_private.run_hook(tg_argv[0], case when tg_op = 'DELETE' then old.id else new.id end);
  return null;
end
$$;

-- Calls it for a user, unless that is held.
create function pie_private.tell_of_changed_user(user_id uuid) returns void
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  insert into pie_private.held_changes (user_id) values (tell_of_changed_user.user_id) on conflict do nothing;
  if found then
    perform pie_private.run_hook('after_user_changed', tell_of_changed_user.user_id);
    delete from pie_private.held_changes where held_changes.user_id = tell_of_changed_user.user_id;
  end if;
end
$$;
revoke execute on function pie_private.tell_of_changed_user(uuid) from public;

create function pie_private.tell_of_changed_users() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  touched uuid[];
  changed uuid;
begin
  if to_regprocedure('pie_hooks.after_user_changed(uuid)') is null then
    return null;
  end if;
  if tg_op = 'INSERT' then
    touched := array(select new_rows.user_id from new_rows);
  elsif tg_op = 'DELETE' then
    touched := array(select old_rows.user_id from old_rows);
  elsif tg_table_name = 'users' then
    touched := array(
      select new_rows.id from old_rows join new_rows on new_rows.id = old_rows.id
      where new_rows.name is distinct from old_rows.name
        or (new_rows.disabled_at is null) <> (old_rows.disabled_at is null)
    );
  elsif tg_table_name = 'user_emails' then
    touched := array(
      select differing.user_id from (
        (select user_id, email, is_verified, is_primary from old_rows except select user_id, email, is_verified, is_primary from new_rows)
        union all
        (select user_id, email, is_verified, is_primary from new_rows except select user_id, email, is_verified, is_primary from old_rows)
      ) as differing
    );
  else
    touched := array(
      select differing.user_id from (
        (select user_id, role from old_rows except select user_id, role from new_rows)
        union all
        (select user_id, role from new_rows except select user_id, role from old_rows)
      ) as differing
    );
  end if;
  -- Not one who is being made or deleted.
  for changed in
    select users.id from pie_schema.users where users.id = any (touched) and users.created_at <> now() order by users.id
  loop
    perform pie_private.tell_of_changed_user(changed);
  end loop;
  return null;
end
$$;
revoke execute on function pie_private.tell_of_changed_users() from public;

create trigger users_tell_of_change after update on pie_schema.users
  referencing old table as old_rows new table as new_rows
  for each statement execute function pie_private.tell_of_changed_users();
create trigger user_emails_tell_of_addition after insert on pie_schema.user_emails
  referencing new table as new_rows
  for each statement execute function pie_private.tell_of_changed_users();
create trigger user_emails_tell_of_change after update on pie_schema.user_emails
  referencing old table as old_rows new table as new_rows
  for each statement execute function pie_private.tell_of_changed_users();
create trigger user_emails_tell_of_removal after delete on pie_schema.user_emails
  referencing old table as old_rows
  for each statement execute function pie_private.tell_of_changed_users();
create trigger user_roles_tell_of_addition after insert on pie_schema.user_roles
  referencing new table as new_rows
  for each statement execute function pie_private.tell_of_changed_users();
create trigger user_roles_tell_of_change after update on pie_schema.user_roles
  referencing old table as old_rows new table as new_rows
  for each statement execute function pie_private.tell_of_changed_users();
create trigger user_roles_tell_of_removal after delete on pie_schema.user_roles
  referencing old table as old_rows
  for each statement execute function pie_private.tell_of_changed_users();

-- As in 0027-operators-users.sql, but for the hook: three statements are one change of the user's addresses.
create or replace function pie_private.change_user_email(email text, new_email text, out outcome text, out old_email text)
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_id uuid := (
    select user_emails.user_id from pie_schema.user_emails where user_emails.email = change_user_email.email
  );
  is_first boolean;
begin
  perform from pie_schema.users where users.id = found_id for no key update;
  if not found then
    outcome := 'unknown';
    return;
  end if;
  old_email := (
    select user_emails.email from pie_schema.user_emails where user_emails.user_id = found_id and user_emails.is_primary
  );
  -- Not the first is a hook's own doing.
  insert into pie_private.held_changes (user_id) values (found_id) on conflict do nothing;
  is_first := found;
  insert into pie_schema.user_emails (user_id, email) values (found_id, new_email)
  on conflict on constraint user_emails_email_key do nothing;
  outcome := case when found then 'changed' else 'taken' end;
  if outcome = 'changed' then
    delete from pie_schema.user_emails where user_emails.user_id = found_id and user_emails.is_primary;
    update pie_schema.user_emails set is_primary = true where user_emails.email = new_email;
    perform pie_private.record_event('email.changed', found_id, null, null,
      jsonb_build_object('by', 'operator', 'from', old_email, 'to', new_email));
  end if;
  if is_first then
    delete from pie_private.held_changes where held_changes.user_id = found_id;
  end if;
  if is_first and outcome = 'changed' then
    perform pie_private.tell_of_changed_user(found_id);
  end if;
end
$$;

comment on table pie_private.held_changes is 'Users for whom after_user_changed is not to be called just now: it is at work for them, or their change is not done. Empty outside of transactions.';
comment on column pie_private.held_changes.user_id is 'The user.';
comment on function pie_private.run_hook(text, uuid) is 'Calls the application''s function of this name in pie_hooks, if there is one, in a savepoint.';
comment on function pie_private.call_hook() is 'Trigger: calls the application''s function of this name in pie_hooks, if there is one.';
comment on function pie_private.tell_of_changed_user(uuid) is 'Calls pie_hooks.after_user_changed for a user, unless that is held.';
comment on function pie_private.tell_of_changed_users() is 'Trigger: calls pie_hooks.after_user_changed once for each user whom the statement has changed.';
