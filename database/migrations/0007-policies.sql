-- What a signed-in request may see and change of Pie's own tables: policies first, then grants.

-- A user sees and changes their own row.
create policy users_own on pie_schema.users
  for select to webuser using (id = (select pie_schema.current_user_id()));
create policy users_change_own on pie_schema.users
  for update to webuser
  using (id = (select pie_schema.current_user_id()))
  with check (id = (select pie_schema.current_user_id()));
-- An admin sees and changes every user. Being webadmin is not enough: the session's user must be one.
create policy users_admin on pie_schema.users
  for select to webadmin using ((select pie_schema.has_role('admin')));
create policy users_change_admin on pie_schema.users
  for update to webadmin
  using ((select pie_schema.has_role('admin')))
  with check ((select pie_schema.has_role('admin')));

-- A user sees their own addresses; an admin sees all.
create policy user_emails_own on pie_schema.user_emails
  for select to webuser using (user_id = (select pie_schema.current_user_id()));
create policy user_emails_admin on pie_schema.user_emails
  for select to webadmin using ((select pie_schema.has_role('admin')));

-- A user sees their own roles; an admin sees everybody's.
create policy user_roles_own on pie_schema.user_roles
  for select to webuser using (user_id = (select pie_schema.current_user_id()));
create policy user_roles_admin on pie_schema.user_roles
  for select to webadmin using ((select pie_schema.has_role('admin')));

-- What roles and permissions there are is no secret to somebody who is signed in. Which permission
-- belongs to which role is none to anybody who has got as far as webuser: asking who asks would cost
-- every read of a user's permissions.
create policy roles_signed_in on pie_schema.roles
  for select to webuser using ((select pie_schema.current_user_id()) is not null);
create policy permissions_signed_in on pie_schema.permissions
  for select to webuser using ((select pie_schema.current_user_id()) is not null);
create policy role_permissions_all on pie_schema.role_permissions
  for select to webuser using (true);

-- Granted to webuser, and so to webadmin, which inherits it. Not granted: insert and delete of
-- anything; users.disabled_at; whether an address is verified; roles. Those change through the
-- functions of pie_private, which keep the audit log.
grant select on
  pie_schema.users, pie_schema.user_emails, pie_schema.user_roles,
  pie_schema.roles, pie_schema.permissions, pie_schema.role_permissions
to webuser;
grant update (name) on pie_schema.users to webuser;

-- Users as Pie's doors show them. It runs with the caller's rights, so a signed-in request finds itself
-- and an admin everybody.
create view pie_schema.user_descriptions with (security_invoker = true) as
  select
    users.id,
    json_build_object(
      'id', users.id,
      'email', user_emails.email,
      'email_verified', user_emails.is_verified,
      'name', users.name,
      'roles', granted.roles,
      'permissions', granted.permissions,
      'created_at', users.created_at,
      'updated_at', users.updated_at
    ) as description
  from pie_schema.users
  left join pie_schema.user_emails on user_emails.user_id = users.id and user_emails.is_primary
  -- Once, because each mention of a table costs the check of its policy.
  cross join lateral (
    select
      coalesce(array_agg(distinct user_roles.role), '{}') as roles,
      coalesce(
        array_agg(distinct role_permissions.permission) filter (where role_permissions.permission is not null), '{}'
      ) as permissions
    from pie_schema.user_roles
    left join pie_schema.role_permissions using (role)
    where user_roles.user_id = users.id
  ) as granted;
grant select on pie_schema.user_descriptions to webuser;
comment on view pie_schema.user_descriptions is 'Users with address, roles and permissions, as far as the caller may see them.';
comment on column pie_schema.user_descriptions.id is 'The user.';
comment on column pie_schema.user_descriptions.description is 'The user as JSON, as every door shows it.';

-- A request transaction in one statement, for a read of oneself: claims the session, becomes webuser,
-- and reads under row-level security, whose policies have the claim proven. A session that may not act
-- proves nothing and so sees nobody: null. It asks for itself by name, because an application may let
-- its users see others. For connections on which no SQL but Pie's own ever runs.
create function pie_private.read_me(session_id uuid, proof bytea) returns json
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
declare
  my_id uuid;
begin
  perform set_config('pie.session_id', session_id::text, true),
          set_config('pie.session_proof', encode(proof, 'hex'), true),
          set_config('role', 'webuser', true);
  my_id := pie_schema.current_user_id();
  return (select description from pie_schema.user_descriptions where id = my_id);
end
$$;
revoke execute on function pie_private.read_me(uuid, bytea) from public;
grant execute on function pie_private.read_me(uuid, bytea) to cream;
comment on function pie_private.read_me(uuid, bytea) is 'The user of a session, read under row-level security; null for a session that may not act.';
