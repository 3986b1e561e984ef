-- What an operator does from the command line, as the owner. Granted to nobody.

-- Gives a user a role. Returns whether there is such a user; giving a role twice is the same as once.
create function pie_private.grant_role(email text, role text) returns boolean
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_id uuid := (select user_emails.user_id from pie_schema.user_emails where user_emails.email = grant_role.email);
begin
  if found_id is null then
    return false;
  end if;
  insert into pie_schema.user_roles (user_id, role) values (found_id, grant_role.role)
  on conflict on constraint user_roles_pkey do nothing;
  if found then
    perform pie_private.record_event('role.granted', found_id, null, null, jsonb_build_object('role', grant_role.role));
  end if;
  return true;
end
$$;
revoke execute on function pie_private.grant_role(text, text) from public;
comment on function pie_private.grant_role(text, text) is 'Gives the user of an address a role; false when there is no such user. For the owner alone.';

-- Takes a role away. Returns whether there is such a user; taking it twice is the same as once.
create function pie_private.revoke_role(email text, role text) returns boolean
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_id uuid := (select user_emails.user_id from pie_schema.user_emails where user_emails.email = revoke_role.email);
begin
  if found_id is null then
    return false;
  end if;
  delete from pie_schema.user_roles where user_roles.user_id = found_id and user_roles.role = revoke_role.role;
  if found then
    perform pie_private.record_event('role.revoked', found_id, null, null, jsonb_build_object('role', revoke_role.role));
  end if;
  return true;
end
$$;
revoke execute on function pie_private.revoke_role(text, text) from public;
comment on function pie_private.revoke_role(text, text) is 'Takes a role from the user of an address; false when there is no such user. For the owner alone.';
