-- compatible: nodes of the version before go on.
-- What an operator does with passwords, addresses, roles and permissions from the command line, as the owner. Granted
-- to nobody. Each keeps the audit log and does all that belongs together, or nothing.

-- Sets a user's password, which ends every session of theirs. Returns how many it has ended, not counting those that had
-- been renewed; null when there is no such user.
create function pie_private.set_user_password(email text, new_hash text) returns integer
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_id uuid := (
    select user_emails.user_id from pie_schema.user_emails where user_emails.email = set_user_password.email
  );
  ended_count integer;
begin
  -- The user first, as by everybody who starts or ends sessions: a sign-in with the old password holds the user until its
  -- session is there, and is found below.
  perform from pie_schema.users where users.id = found_id for no key update;
  if not found then
    return null;
  end if;
  insert into pie_private.passwords (user_id, hash) values (found_id, new_hash)
  on conflict on constraint passwords_pkey do update set hash = excluded.hash, changed_at = now();
  with ended as (
    update pie_private.sessions set revoked_at = now(), revoked_reason = 'password_changed'
    where sessions.user_id = found_id and sessions.revoked_at is null
    returning sessions.successor_id
  )
  select count(*) filter (where ended.successor_id is null) into ended_count from ended;
  delete from pie_private.throttles where throttles.key = 'password-change:' || found_id;
  perform pie_private.record_event('password.changed', found_id, null, null, '{"by": "operator"}');
  return ended_count;
end
$$;

-- Gives a user another primary address, not verified, in place of the one that they have. outcome is
--   changed  it is so now;
--   taken    the new address is somebody's already, perhaps the user's own; nothing was changed;
--   unknown  nobody has the address that names the user; nothing was changed.
--
-- A new row, not the old one with another text: what was begun for the old address must not end at the new one.
create function pie_private.change_user_email(email text, new_email text, out outcome text, out old_email text)
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_id uuid := (
    select user_emails.user_id from pie_schema.user_emails where user_emails.email = change_user_email.email
  );
begin
  perform from pie_schema.users where users.id = found_id for no key update;
  if not found then
    outcome := 'unknown';
    return;
  end if;
  old_email := (
    select user_emails.email from pie_schema.user_emails where user_emails.user_id = found_id and user_emails.is_primary
  );
  insert into pie_schema.user_emails (user_id, email) values (found_id, new_email)
  on conflict on constraint user_emails_email_key do nothing;
  if not found then
    outcome := 'taken';
    return;
  end if;
  delete from pie_schema.user_emails where user_emails.user_id = found_id and user_emails.is_primary;
  update pie_schema.user_emails set is_primary = true where user_emails.email = new_email;
  perform pie_private.record_event('email.changed', found_id, null, null,
    jsonb_build_object('by', 'operator', 'from', old_email, 'to', new_email));
  outcome := 'changed';
end
$$;

-- Makes a role that nobody has yet. False, with nothing changed, when there is one of this name.
create function pie_private.create_role(name text, description text) returns boolean
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
begin
  insert into pie_schema.roles (name, description) values (create_role.name, create_role.description)
  on conflict on constraint roles_pkey do nothing;
  if not found then
    return false;
  end if;
  perform pie_private.record_event('role.created', null, null, null, jsonb_build_object('role', create_role.name));
  return true;
end
$$;

-- Makes a permission that no role has yet. False, with nothing changed, when there is one of this name.
create function pie_private.create_permission(name text, description text) returns boolean
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
begin
  insert into pie_schema.permissions (name, description) values (create_permission.name, create_permission.description)
  on conflict on constraint permissions_pkey do nothing;
  if not found then
    return false;
  end if;
  perform pie_private.record_event('permission.created', null, null, null,
    jsonb_build_object('permission', create_permission.name));
  return true;
end
$$;

-- Gives a role a permission, and so everybody who has the role. Twice is the same as once.
create function pie_private.grant_permission(permission text, role text) returns void
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
begin
  insert into pie_schema.role_permissions (role, permission)
  values (grant_permission.role, grant_permission.permission)
  on conflict on constraint role_permissions_pkey do nothing;
  if found then
    perform pie_private.record_event('permission.granted', null, null, null,
      jsonb_build_object('permission', grant_permission.permission, 'role', grant_permission.role));
  end if;
end
$$;

-- Takes a permission from a role. Twice is the same as once.
create function pie_private.revoke_permission(permission text, role text) returns void
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
begin
  delete from pie_schema.role_permissions
  where role_permissions.role = revoke_permission.role and role_permissions.permission = revoke_permission.permission;
  if found then
    perform pie_private.record_event('permission.revoked', null, null, null,
      jsonb_build_object('permission', revoke_permission.permission, 'role', revoke_permission.role));
  end if;
end
$$;

revoke execute on function pie_private.set_user_password(text, text) from public;
revoke execute on function pie_private.change_user_email(text, text) from public;
revoke execute on function pie_private.create_role(text, text) from public;
revoke execute on function pie_private.create_permission(text, text) from public;
revoke execute on function pie_private.grant_permission(text, text) from public;
revoke execute on function pie_private.revoke_permission(text, text) from public;

comment on function pie_private.set_user_password(text, text) is 'Sets the password of the user of an address and ends their sessions; how many, or null when there is no such user. For the owner alone.';
comment on function pie_private.change_user_email(text, text) is 'Gives the user of an address another primary address, not verified. For the owner alone.';
comment on function pie_private.create_role(text, text) is 'Makes a role of the application; false when it is there already. For the owner alone.';
comment on function pie_private.create_permission(text, text) is 'Makes a permission; false when it is there already. For the owner alone.';
comment on function pie_private.grant_permission(text, text) is 'Gives a role a permission. For the owner alone.';
comment on function pie_private.revoke_permission(text, text) is 'Takes a permission from a role. For the owner alone.';
