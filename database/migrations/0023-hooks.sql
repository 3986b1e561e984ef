-- Functions that the application defines in pie_hooks, and Pie calls when something has happened:
--
--   pie_hooks.after_user_created(user_id uuid)   a user is there, with address and first role
--   pie_hooks.after_user_deleted(user_id uuid)   a user is gone, with all that was theirs
--
-- Whichever door it happens through, this console too, because a trigger calls them, in the transaction in
-- which it happens. They run as the owner: whoever may create functions in pie_hooks acts as the owner,
-- and that is granted to nobody.
--
-- A hook that fails is undone by itself, and noted in the audit log and Pie's own log. It breaks what it was
-- called for only where pie.hook_failures says so, which is what HOOK_FAILURES=refuse sets.
create function pie_private.call_hook() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  -- A hook that waits for somebody else's lock holds up a sign-up.
  set lock_timeout = '3s'
as $$
declare
  hook constant text := tg_argv[0];
  user_id uuid;
  code text;
  reason text;
begin
  if to_regprocedure(format('pie_hooks.%I(uuid)', hook)) is null then
    return null;
  end if;
  if tg_op = 'DELETE' then user_id := old.id; else user_id := new.id; end if;
  begin
    execute format('select pie_hooks.%I($1)', hook) using user_id;
  -- OTHERS leaves these two out: a hook that runs into statement_timeout, or asserts.
  exception when query_canceled or assert_failure or others then
    get stacked diagnostics code = returned_sqlstate, reason = message_text;
    if current_setting('pie.hook_failures', true) = 'refuse' then
      raise exception 'pie_hooks.% failed with SQLSTATE %: %', hook, code, reason using errcode = 'PI002';
    end if;
    insert into pie_private.audit_log (event, user_id, detail)
    values ('hook.failed', user_id, jsonb_build_object('function', 'pie_hooks.' || hook, 'sqlstate', code, 'message', left(reason, 500)));
    raise warning 'pie_hooks.% failed with SQLSTATE %: %', hook, code, reason using errcode = code;
  end;
  return null;
end
$$;
revoke execute on function pie_private.call_hook() from public;
comment on function pie_private.call_hook() is 'Trigger: calls the application''s function of this name in pie_hooks, if there is one, in a savepoint.';

create trigger users_call_hook_when_created after insert on pie_schema.users
  for each row execute function pie_private.call_hook('after_user_created');
create trigger users_call_hook_when_deleted after delete on pie_schema.users
  for each row execute function pie_private.call_hook('after_user_deleted');
