-- The keys that sign access tokens. The public half is published; the private half is sealed under a
-- key derived from SECRET_KEY, so that a dump of this table signs nothing.
create table pie_private.signing_keys (
  kid            text primary key,
  public_jwk     jsonb not null,
  sealed_private bytea not null,
  created_at     timestamptz not null default now(),
  signs_from     timestamptz not null,
  verifies_until timestamptz,
  constraint signing_keys_public_jwk_is_public check (
    jsonb_typeof(public_jwk) = 'object' and not public_jwk ? 'd' and public_jwk ->> 'kid' is not distinct from kid
  ),
  constraint signing_keys_verifies_after_it_signs check (verifies_until >= created_at)
);

alter table pie_private.signing_keys enable row level security;
alter table pie_private.signing_keys force row level security;

-- The owner's own functions work on every row; nobody else is granted this table.
create policy signing_keys_for_owner on pie_private.signing_keys to current_user using (true) with check (true);

-- The keys that tokens may still be verified with, the newest first.
create function pie_private.list_signing_keys()
  returns table (kid text, public_jwk jsonb, sealed_private bytea, signs_from timestamptz, verifies_until timestamptz)
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select signing_keys.kid, signing_keys.public_jwk, signing_keys.sealed_private,
         signing_keys.signs_from, signing_keys.verifies_until
  from pie_private.signing_keys
  where signing_keys.verifies_until is null or signing_keys.verifies_until > now()
  order by signing_keys.signs_from desc, signing_keys.kid
$$;

-- Adds the first key, unless there is one. Two nodes that start at once both come here; the lock lets
-- the second see the first one's key.
create function pie_private.add_first_signing_key(kid text, public_jwk jsonb, sealed_private bytea) returns void
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  lock table pie_private.signing_keys in share row exclusive mode;
  insert into pie_private.signing_keys (kid, public_jwk, sealed_private, signs_from)
  select add_first_signing_key.kid, add_first_signing_key.public_jwk, add_first_signing_key.sealed_private, now()
  where not exists (
    select from pie_private.signing_keys where signing_keys.verifies_until is null
  );
end
$$;

-- Adds a key that begins to sign after a while, when every node and every reader of the published keys
-- has heard of it. The older ones verify for as long as the tokens they sign until then can live.
-- For the owner alone: pie key rotate.
create function pie_private.rotate_signing_key(
  kid text, public_jwk jsonb, sealed_private bytea, signs_after interval, overlap interval
) returns void
  language plpgsql volatile
  set search_path = pg_catalog, pg_temp
as $$
begin
  lock table pie_private.signing_keys in share row exclusive mode;
  update pie_private.signing_keys set verifies_until = greatest(now() + signs_after + overlap, signing_keys.created_at)
  where signing_keys.verifies_until is null or signing_keys.verifies_until > now() + signs_after + overlap;
  insert into pie_private.signing_keys (kid, public_jwk, sealed_private, signs_from)
  values (kid, public_jwk, sealed_private, now() + signs_after);
  perform pie_private.record_event('signing_key.rotated', null, null, null, jsonb_build_object('kid', kid));
end
$$;

revoke execute on function pie_private.list_signing_keys() from public;
revoke execute on function pie_private.add_first_signing_key(text, jsonb, bytea) from public;
revoke execute on function pie_private.rotate_signing_key(text, jsonb, bytea, interval, interval) from public;
grant execute on function pie_private.list_signing_keys() to pie_auth;
grant execute on function pie_private.add_first_signing_key(text, jsonb, bytea) to pie_auth;

comment on table pie_private.signing_keys is 'ES256 keys that sign access tokens. Granted to no role.';
comment on column pie_private.signing_keys.kid is 'Names the key in tokens and in the published key set: its RFC 7638 thumbprint.';
comment on column pie_private.signing_keys.public_jwk is 'The public key as published (RFC 7517).';
comment on column pie_private.signing_keys.sealed_private is 'The private key, sealed with AES-256-GCM under a key derived from SECRET_KEY.';
comment on column pie_private.signing_keys.created_at is 'When the key was made.';
comment on column pie_private.signing_keys.signs_from is 'From when on this key signs, if no newer one does.';
comment on column pie_private.signing_keys.verifies_until is 'When the key stops being published; null for the newest.';
comment on function pie_private.list_signing_keys() is 'The keys that tokens may be verified with, the newest first.';
comment on function pie_private.add_first_signing_key(text, jsonb, bytea) is 'Adds the first key, unless there is one.';
comment on function pie_private.rotate_signing_key(text, jsonb, bytea, interval, interval) is 'Adds a key and lets the older ones run out. For the owner alone.';
