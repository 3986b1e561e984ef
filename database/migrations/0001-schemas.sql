-- Three rooms in the database.
--
-- pie_schema is what roles may see. pie_private holds secrets and the functions that handle them.
-- pie_hooks is for functions that the application defines and Pie calls.
create schema pie_schema;
create schema pie_private;
create schema pie_hooks;

-- Nothing is granted here: the roles follow in 0002-roles.sql.
comment on schema pie_schema is 'Users, roles and permissions: what a signed-in request may see, row by row.';
comment on schema pie_private is 'Secrets, sessions and the functions that handle them. No table here is granted to anyone.';
comment on schema pie_hooks is 'Functions that the application defines and Pie calls.';

-- Which migrations this database has had, with the checksum of each: a released one is never changed.
create table pie_private.migrations (
  name       text primary key,
  checksum   text not null,
  applied_at timestamptz not null default now()
);
alter table pie_private.migrations enable row level security;
alter table pie_private.migrations force row level security;
-- Read and written by whoever migrates; nobody else is granted this table.
create policy migrations_for_owner on pie_private.migrations to current_user using (true) with check (true);
comment on table pie_private.migrations is 'The migrations that this database has had.';
comment on column pie_private.migrations.name is 'The migration''s file name.';
comment on column pie_private.migrations.checksum is 'SHA-256 of the file when it ran.';
comment on column pie_private.migrations.applied_at is 'When it ran.';

-- Every row that a cache may hold carries a version that only grows, whoever changes it.
create function pie_private.touch_version() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  new.version := old.version + 1;
  return new;
end
$$;
revoke execute on function pie_private.touch_version() from public;
comment on function pie_private.touch_version() is 'Trigger: the version of a changed row is one higher than before.';
