-- What a session is limited to, for policies to ask. A session of the user's own has no limit; one that
-- was given to somebody else's program has scopes (RFC 6749 section 3.3), and may do nothing beyond them.
create function pie_schema.has_scope(scope text) returns boolean
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pie_private.current_session() as proven
    where proven.scopes is null or has_scope.scope = any (proven.scopes)
  )
$$;
revoke execute on function pie_schema.has_scope(text) from public;
grant execute on function pie_schema.has_scope(text) to webuser;
comment on function pie_schema.has_scope(text) is 'Whether the session that this transaction has proven may do what a scope names: it has that scope, or no limit at all.';
