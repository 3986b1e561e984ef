-- Signing in with a password, in two statements around the hashing, which Postgres does not do.
--
-- The attempt is counted by the first statement, which commits before the password is looked at: what
-- must survive a failure is written outside it.

-- The network that an address is counted by: an IPv4 address by itself, IPv6 by the /64 that one
-- customer has to themselves.
create function pie_private.network_of(address inet) returns text
  language sql immutable
  set search_path = pg_catalog, pg_temp
as $$
  select network(set_masklen(address, case family(address) when 6 then 64 else 32 end))::text
$$;

-- Whether a user has signed in from a network lately.
create function pie_private.is_known_network(user_id uuid, network text) returns boolean
  language sql stable
  set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pie_private.sessions
    where sessions.user_id = is_known_network.user_id
      and pie_private.network_of(sessions.address) = is_known_network.network
      and sessions.last_seen_at > now() - interval '90 days'
  )
$$;
revoke execute on function pie_private.is_known_network(uuid, text) from public;
comment on function pie_private.is_known_network(uuid, text) is 'Whether a user has signed in from a network in the last 90 days.';

-- Counts an attempt and hands out what to check it against. wait is null when it may be made.
--
-- Three buckets. One network may try one account 10 times, then once a minute. One network may try
-- 100 times altogether, then every 10 seconds. One account may be tried 50 times from everywhere, then
-- every 30 seconds; but networks from which its owner has signed in lately are not held back by that,
-- so that strangers' guesses cannot keep the owner out. Unknown accounts are counted just the same.
create function pie_private.begin_password_sign_in(email text, address inet)
  returns table (wait_seconds integer, user_id uuid, password_hash text)
  language plpgsql volatile security definer rows 1
  set search_path = pg_catalog, pg_temp
as $$
declare
  network text := pie_private.network_of(address);
  account text := encode(sha256(convert_to(email, 'utf8')), 'hex');
  found_id uuid;
  found_hash text;
  wait interval;
begin
  -- Counted at once, but not waited for on disk: everybody behind one address shares a bucket, and a
  -- crash that forgives the last half second of attempts is not worth a queue of sign-ins.
  perform set_config('synchronous_commit', 'off', true);

  select user_emails.user_id, passwords.hash into found_id, found_hash
  from pie_schema.user_emails
  left join pie_private.passwords on passwords.user_id = user_emails.user_id
  where user_emails.email = begin_password_sign_in.email;

  wait := pie_private.spend_attempt('network:' || network, 100, interval '10 seconds');
  if wait is null then
    wait := pie_private.spend_attempt('account-network:' || account || ':' || network, 10, interval '1 minute');
  end if;
  if wait is null and not pie_private.is_known_network(found_id, network) then
    wait := pie_private.spend_attempt('account:' || account, 50, interval '30 seconds');
  end if;

  -- Last, and without waiting for anybody: whoever waits above holds only buckets that come before.
  perform pie_private.clear_empty_throttles();

  if wait is not null then
    return query select ceil(extract(epoch from wait))::integer, null::uuid, null::text;
  else
    return query select null::integer, found_id, found_hash;
  end if;
end
$$;

-- The password was right: gives the attempt back and starts the session. No row, and nothing changed,
-- when the password was changed meanwhile or the user may not sign in.
create function pie_private.complete_password_sign_in(
  user_id uuid,
  email text,
  verified_hash text,
  session_id uuid,
  kind text,
  proof_hash bytea,
  lifetime interval,
  absolute_lifetime interval,
  address inet,
  user_agent text
)
  returns table (started_at timestamptz, expires_at timestamptz, absolute_expires_at timestamptz, "user" json)
  language plpgsql volatile security definer rows 1
  set search_path = pg_catalog, pg_temp
as $$
declare
  network text := pie_private.network_of(address);
  account text := encode(sha256(convert_to(email, 'utf8')), 'hex');
  is_known boolean := pie_private.is_known_network(user_id, network);
begin
  -- Locked until the session is there, so that a password change that ends the other sessions finds it.
  perform from pie_private.passwords
  where passwords.user_id = complete_password_sign_in.user_id and passwords.hash = verified_hash
  for share;
  if not found then
    return;
  end if;

  return query
    select * from pie_private.start_session(
      user_id, session_id, kind, proof_hash, array['pwd'], lifetime, absolute_lifetime, address, user_agent
    );
  if not found then
    return;
  end if;

  -- In the order in which an attempt is counted, so that two of one place never wait for each other.
  perform pie_private.refund_attempt('network:' || network, interval '10 seconds');
  delete from pie_private.throttles where throttles.key = 'account-network:' || account || ':' || network;
  -- An attempt from a known network was not counted there: what strangers have spent stays spent.
  if not is_known then
    perform pie_private.refund_attempt('account:' || account, interval '30 seconds');
  end if;
end
$$;

-- Counts a registration before its password is judged and hashed, which is dear. Null when it may go
-- on; otherwise how many seconds to wait. One network may register 60 times, then every 10 seconds.
create function pie_private.begin_registration(address inet) returns integer
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  wait interval := pie_private.spend_attempt(
    'registration:' || pie_private.network_of(address), 60, interval '10 seconds'
  );
begin
  perform pie_private.clear_empty_throttles();
  return ceil(extract(epoch from wait))::integer;
end
$$;

-- The password was wrong, or there is none: one line for the operator, whether or not the user exists.
create function pie_private.fail_password_sign_in(user_id uuid, address inet) returns void
  language sql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
  insert into pie_private.audit_log (event, user_id, address, detail)
  values ('sign_in.failed', user_id, address, '{"method": "pwd"}')
$$;

revoke execute on function pie_private.network_of(inet) from public;
revoke execute on function pie_private.begin_registration(inet) from public;
revoke execute on function pie_private.begin_password_sign_in(text, inet) from public;
revoke execute on function pie_private.complete_password_sign_in(uuid, text, text, uuid, text, bytea, interval, interval, inet, text) from public;
revoke execute on function pie_private.fail_password_sign_in(uuid, inet) from public;
grant execute on function pie_private.begin_registration(inet) to pie_auth;
grant execute on function pie_private.begin_password_sign_in(text, inet) to pie_auth;
grant execute on function pie_private.complete_password_sign_in(uuid, text, text, uuid, text, bytea, interval, interval, inet, text) to pie_auth;
grant execute on function pie_private.fail_password_sign_in(uuid, inet) to pie_auth;

comment on function pie_private.network_of(inet) is 'The network an address is counted by: IPv4 by /32, IPv6 by /64.';
comment on function pie_private.begin_registration(inet) is 'Counts a registration; null if it may go on, otherwise how many seconds to wait.';
comment on function pie_private.begin_password_sign_in(text, inet) is 'Counts an attempt and returns the hash to check it against, or how many seconds to wait.';
comment on function pie_private.complete_password_sign_in(uuid, text, text, uuid, text, bytea, interval, interval, inet, text) is 'Starts the session of somebody whose password was right; no row if it no longer is.';
comment on function pie_private.fail_password_sign_in(uuid, inet) is 'Records a failed attempt in the audit log.';
