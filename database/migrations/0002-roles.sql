-- Who acts in Postgres.
--
-- The owner (whoever runs this file) owns and migrates, and never serves a request. The server's own
-- work runs as pie_auth, the requests of signed-in people as cream, which owns nothing, inherits
-- nothing, and may only become webuser or webadmin inside a request transaction.
--
-- Roles belong to the whole server, not to this database: another Pie on the same server may have
-- made them already, or be making them now. Their passwords are set by Pie at start, never here.
do $$
begin
  begin
    create role webuser nologin;
  exception when duplicate_object or unique_violation then null;
  end;
  begin
    create role webadmin nologin;
  exception when duplicate_object or unique_violation then null;
  end;
  begin
    create role pie_auth login noinherit;
    alter role pie_auth set statement_timeout = '15s';
    alter role pie_auth set idle_in_transaction_session_timeout = '15s';
  exception when duplicate_object or unique_violation then null;
  end;
  begin
    create role cream login noinherit;
    alter role cream set statement_timeout = '15s';
    alter role cream set idle_in_transaction_session_timeout = '15s';
  exception when duplicate_object or unique_violation then null;
  end;

  -- An admin may do what every user may, and more. The guards keep a second database on the same
  -- server from asking for grants that its owner may not be allowed to repeat.
  if not pg_has_role('webadmin', 'webuser', 'usage') then
    grant webuser to webadmin;
  end if;
  if not pg_has_role('cream', 'webuser', 'member') then
    grant webuser to cream;
  end if;
  if not exists (
    select from pg_auth_members
    where roleid = 'webadmin'::regrole and member = 'cream'::regrole
  ) then
    grant webadmin to cream;
  end if;
end
$$;

-- Not granted: create, to anyone; pie_private, to webuser and webadmin. cream enters pie_private only
-- to prove its session, and is webuser or webadmin from then on.
grant usage on schema pie_schema to webuser;
grant usage on schema pie_private to pie_auth, cream;

-- Nothing temporary: a temporary table or type stands before the application's own, and stays on the
-- connection for whoever comes next.
do $$
begin
  execute format('revoke temporary on database %I from public', current_database());
end
$$;
