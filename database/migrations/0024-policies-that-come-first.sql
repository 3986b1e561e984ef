-- Postgres tries a comparison that leaks nothing by itself (email >= 'g') before a policy that it takes to cost
-- as much or more, on the rows of everybody; a second condition of the same query, which names no column and
-- leaves a trace (set_config, pg_sleep), tells whoever wrote the query whether there was such a row. SQL that
-- got in through a hole finds out every address so, letter by letter.
--
-- What costs least is tried first. So these policies say once more whose row it is, through a function that
-- costs less than any comparison. They are restrictive: to let people see others, an application adds a policy
-- of its own and widens these as well. The policies before are what finds the index.

-- In plpgsql: a function in sql dissolves into the comparison that it is made of, and costs what that costs.
create function pie_schema.is_same(one uuid, other uuid) returns boolean
  language plpgsql immutable parallel safe cost 0.0001
  set search_path = pg_catalog, pg_temp
as $$
begin
  return one = other;
end
$$;
create function pie_schema.is_among(one uuid, others uuid[]) returns boolean
  language plpgsql immutable parallel safe cost 0.0001
  set search_path = pg_catalog, pg_temp
as $$
begin
  return one = any (others);
end
$$;
revoke execute on function pie_schema.is_same(uuid, uuid) from public;
revoke execute on function pie_schema.is_among(uuid, uuid[]) from public;
grant execute on function pie_schema.is_same(uuid, uuid) to webuser;
grant execute on function pie_schema.is_among(uuid, uuid[]) to webuser;
comment on function pie_schema.is_among(uuid, uuid[]) is 'Whether an id is among others, at a cost that puts a policy before every other condition.';
comment on function pie_schema.is_same(uuid, uuid) is 'Whether two ids are the same, at a cost that puts a policy before every other condition.';

-- Whoever has webuser's rights without being a request (an owner who was granted it) is left as before.
create policy users_first on pie_schema.users as restrictive to webuser using (
  pie_schema.is_same(id, (select pie_schema.current_user_id()))
  or (select pie_schema.has_role('admin'))
  or (select current_user not in ('webuser', 'webadmin'))
);
create policy user_emails_first on pie_schema.user_emails as restrictive to webuser using (
  pie_schema.is_same(user_id, (select pie_schema.current_user_id()))
  or (select pie_schema.has_role('admin'))
  or (select current_user not in ('webuser', 'webadmin'))
);
create policy user_roles_first on pie_schema.user_roles as restrictive to webuser using (
  pie_schema.is_same(user_id, (select pie_schema.current_user_id()))
  or (select pie_schema.has_role('admin'))
  or (select current_user not in ('webuser', 'webadmin'))
);
