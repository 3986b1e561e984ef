-- compatible: nodes of the version before go on.
--
-- Whether a user has signed in from a network lately is one row. It was looked for among all of their sessions, so
-- that an attempt took the longer the more there are: told by time, even by the answer that refuses it.

create table pie_private.known_networks (
  user_id      uuid not null references pie_schema.users (id) on delete cascade,
  network      text not null,
  last_seen_at timestamptz not null default now(),
  constraint known_networks_pkey primary key (user_id, network),
  constraint known_networks_network_is_short check (char_length(network) <= 50)
);
create index known_networks_last_seen_at_idx on pie_private.known_networks (last_seen_at);

alter table pie_private.known_networks enable row level security;
alter table pie_private.known_networks force row level security;

-- The owner's own functions work on every row; nobody else is granted this table.
create policy known_networks_for_owner on pie_private.known_networks to current_user using (true) with check (true);

-- Whoever starts a session, by whichever function, has been seen where it starts: written once a day. Not where somebody
-- else acts as the user. There are never more than sessions were started in 90 days: 0032 deletes the others.
create function pie_private.remember_network() returns trigger
  language plpgsql
  security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  seen_network text := pie_private.network_of(new.address);
begin
  perform from pie_private.known_networks as known
  where known.user_id = new.user_id and known.network = seen_network and known.last_seen_at > now() - interval '1 day';
  if found then
    return null;
  end if;
  insert into pie_private.known_networks (user_id, network) values (new.user_id, seen_network)
  on conflict on constraint known_networks_pkey do update set last_seen_at = excluded.last_seen_at;
  return null;
end
$$;
revoke execute on function pie_private.remember_network() from public;
create trigger sessions_remember_network after insert on pie_private.sessions
  for each row when (new.address is not null and new.actor_id is null) execute function pie_private.remember_network();

-- A session that is in use keeps the network known that it was started from: written once a day, and where it is not known at
-- all, as of sessions that were there before this. Nobody is waited for: a visit or a refresh locks its session, and beside it
-- nothing that others hold. (What there was is not copied here: a sign-in from such a network would wait for all of the copy.)
create function pie_private.keep_network_known(user_id uuid, address inet) returns void
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
declare
  seen_network text := pie_private.network_of(keep_network_known.address);
  seen_at timestamptz := (
    select known.last_seen_at from pie_private.known_networks as known
    where known.user_id = keep_network_known.user_id and known.network = seen_network
  );
begin
  if seen_at is null then
    perform from pie_schema.users where users.id = keep_network_known.user_id for key share skip locked;
    if found and seen_network is not null then
      insert into pie_private.known_networks (user_id, network) values (keep_network_known.user_id, seen_network)
      on conflict on constraint known_networks_pkey do nothing;
    end if;
  elsif seen_at < now() - interval '1 day' then
    update pie_private.known_networks as known set last_seen_at = now()
    where known.user_id = keep_network_known.user_id and known.network in (
      select due.network from pie_private.known_networks as due
      where due.user_id = keep_network_known.user_id and due.network = seen_network
      for update skip locked
    );
  end if;
end
$$;
revoke execute on function pie_private.keep_network_known(uuid, inet) from public;

-- As in 0016 and in 0012, but that each keeps the network known.

create or replace function pie_private.visit_session(session_id uuid, proofs bytea[], browser_lifetime interval) returns json
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  visited record;
begin
  update pie_private.sessions
  set last_seen_at = now(),
      expires_at = case sessions.kind
        when 'browser' then least(now() + browser_lifetime, sessions.absolute_expires_at)
        else sessions.expires_at
      end,
      proof_hash = sha256(proofs[1]),
      version = sessions.version + 1
  where sessions.id = session_id
    and sessions.proof_hash = any (array(select sha256(proof) from unnest(proofs) as given (proof)))
    and sessions.revoked_at is null
    -- Not now(), which stands still while this waits: what expired or was renewed meanwhile stays so.
    and sessions.expires_at > clock_timestamp()
    and sessions.successor_id is null
    and (sessions.last_seen_at < now() - interval '5 minutes' or sessions.proof_hash <> sha256(proofs[1]))
  returning sessions.user_id, sessions.address, sessions.actor_id into visited;
  if found and visited.actor_id is null then
    perform pie_private.keep_network_known(visited.user_id, visited.address);
  end if;
  return pie_private.read_session(session_id, proofs[1]);
end
$$;

create or replace function pie_private.refresh_session(
  session_id uuid,
  proofs bytea[],
  generation integer,
  lifetime interval,
  retry_window interval,
  address inet,
  out outcome text,
  out current_generation integer,
  out refreshed_at timestamptz,
  out expires_at timestamptz,
  out "user" json
)
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  -- There is more than one proof only while SECRET_KEY is being changed.
  proof_hashes bytea[] := array[sha256(proofs[1])];
  session_user_id uuid;
  started_from inet;
begin
  if cardinality(proofs) > 1 then
    proof_hashes := proof_hashes || array(select sha256(proof) from unnest(proofs[2:]) as older (proof));
  end if;

  update pie_private.sessions
  set refresh_generation = sessions.refresh_generation + 1,
      refreshed_at = now(),
      last_seen_at = now(),
      expires_at = least(now() + lifetime, sessions.absolute_expires_at),
      proof_hash = proof_hashes[1],
      version = sessions.version + 1
  where sessions.id = session_id
    and sessions.refresh_generation = generation
    and sessions.proof_hash = any (proof_hashes)
    and sessions.revoked_at is null
    and sessions.expires_at > now()
  returning sessions.user_id, sessions.refresh_generation, sessions.refreshed_at, sessions.expires_at,
            case when sessions.actor_id is null then sessions.address end
  into session_user_id, current_generation, refreshed_at, expires_at, started_from;

  if found then
    outcome := 'rotated';
    perform pie_private.keep_network_known(session_user_id, started_from);
  else
    -- A loser of a race waited above for the winner, and sees here what the winner wrote.
    select sessions.user_id, sessions.refresh_generation, sessions.refreshed_at, sessions.expires_at
    into session_user_id, current_generation, refreshed_at, expires_at
    from pie_private.sessions
    where sessions.id = session_id
      and sessions.proof_hash = any (proof_hashes)
      and sessions.revoked_at is null
      and sessions.expires_at > now()
    for update;
    outcome := case
      when not found or generation > current_generation then 'refused'
      when generation = current_generation - 1 and refreshed_at > now() - retry_window then 'repeated'
      else 'stolen'
    end;
  end if;

  if outcome = 'stolen' then
    update pie_private.sessions set revoked_at = now(), revoked_reason = 'stolen' where sessions.id = session_id;
    insert into pie_private.audit_log (event, user_id, session_id, address, detail)
    values ('session.stolen', session_user_id, refresh_session.session_id, refresh_session.address,
            jsonb_build_object('presented', generation, 'current', current_generation));
  end if;
  if outcome in ('stolen', 'refused') then
    current_generation := null;
    refreshed_at := null;
    expires_at := null;
    return;
  end if;
  "user" := (select description from pie_schema.user_descriptions where id = session_user_id);
end
$$;

comment on table pie_private.known_networks is 'Where users have signed in from lately. Granted to no role.';
comment on column pie_private.known_networks.user_id is 'Who has signed in there.';
comment on column pie_private.known_networks.network is 'The network, as network_of says it.';
comment on column pie_private.known_networks.last_seen_at is 'When a session that was started there was last started or used, to the day.';
comment on function pie_private.remember_network() is 'Trigger: where a session is started, its user has been seen.';
comment on function pie_private.keep_network_known(uuid, inet) is 'Writes down, once a day, that a session is in use that was started from an address.';
