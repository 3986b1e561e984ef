-- compatible: nodes of the version before go on.
--
-- What nodes have to agree on, and what each has to know without the owner's address.

-- What a migration of an application's has made, for whoever starts it over: pie migrate --redo.
alter table pie_private.migrations add column made text[];
comment on column pie_private.migrations.made is 'What an application''s migration has made, each as `drop` takes it; null where that was not written down.';

-- A node that has only the login roles looks at them before it serves.
create function pie_private.list_migrations() returns table (name text, checksum text)
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query select migrations.name, migrations.checksum from pie_private.migrations order by migrations.name;
end
$$;
revoke execute on function pie_private.list_migrations() from public;
grant execute on function pie_private.list_migrations() to pie_auth;
comment on function pie_private.list_migrations() is 'The migrations that this database has had.';

-- The nodes that serve this database. What they have to have alike and have not, such as the issuer of tokens, each of them
-- sees here and tells its operator. Nothing is decided by it.
create table pie_private.nodes (
  id         uuid primary key,
  version    text not null,
  settings   jsonb not null,
  started_at timestamptz not null default now(),
  seen_at    timestamptz not null default now(),
  constraint nodes_are_small check (octet_length(settings::text) <= 4000 and char_length(version) <= 100)
);
alter table pie_private.nodes enable row level security;
alter table pie_private.nodes force row level security;
create policy nodes_for_owner on pie_private.nodes to current_user using (true) with check (true);
comment on table pie_private.nodes is 'The nodes that serve this database, as they say themselves. Granted to no role.';
comment on column pie_private.nodes.id is 'Made by the node when it starts.';
comment on column pie_private.nodes.version is 'The version of Pie.';
comment on column pie_private.nodes.settings is 'The settings that all nodes have to have alike, by name. No secrets.';
comment on column pie_private.nodes.started_at is 'When it started.';
comment on column pie_private.nodes.seen_at is 'When it last said that it is there.';

-- Says that a node is there, and returns the others of the last five minutes. What has not been seen for an hour is gone.
create function pie_private.announce_node(id uuid, version text, settings jsonb)
  returns table (other_id uuid, other_version text, other_settings jsonb, other_seen_at timestamptz)
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  insert into pie_private.nodes (id, version, settings)
  values (announce_node.id, announce_node.version, announce_node.settings)
  on conflict on constraint nodes_pkey do update
    set version = excluded.version, settings = excluded.settings, seen_at = now();
  delete from pie_private.nodes where nodes.seen_at < now() - interval '1 hour';
  return query
    select nodes.id, nodes.version, nodes.settings, nodes.seen_at
    from pie_private.nodes
    where nodes.id <> announce_node.id and nodes.seen_at > now() - interval '5 minutes'
    order by nodes.started_at, nodes.id
    limit 100;
end
$$;
revoke execute on function pie_private.announce_node(uuid, text, jsonb) from public;
grant execute on function pie_private.announce_node(uuid, text, jsonb) to pie_auth;
comment on function pie_private.announce_node(uuid, text, jsonb) is 'Says that a node is there, and shows it the others.';

-- What those have to have alike who only read sessions, as the nodes that serve have it.
create function pie_private.list_nodes() returns table (id uuid, version text, settings jsonb, seen_at timestamptz)
  language plpgsql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select nodes.id, nodes.version, nodes.settings, nodes.seen_at
    from pie_private.nodes
    where nodes.seen_at > now() - interval '5 minutes'
    order by nodes.started_at, nodes.id
    limit 100;
end
$$;
revoke execute on function pie_private.list_nodes() from public;
grant execute on function pie_private.list_nodes() to pie_auth;
comment on function pie_private.list_nodes() is 'The nodes that serve this database now.';

-- A node that stops in good order says so.
create function pie_private.forget_node(id uuid) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  delete from pie_private.nodes where nodes.id = forget_node.id;
end
$$;
revoke execute on function pie_private.forget_node(uuid) from public;
grant execute on function pie_private.forget_node(uuid) to pie_auth;
comment on function pie_private.forget_node(uuid) is 'Takes a node off the list that has stopped.';
