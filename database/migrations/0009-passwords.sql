-- Password hashes, in a table of their own that no role is granted.
create table pie_private.passwords (
  user_id    uuid primary key references pie_schema.users (id) on delete cascade,
  hash       text not null,
  changed_at timestamptz not null default now(),
  constraint passwords_hash_is_argon2id check (hash like '$argon2id$%' and char_length(hash) <= 256)
);

alter table pie_private.passwords enable row level security;
alter table pie_private.passwords force row level security;

-- The owner's own functions work on every row; nobody else is granted this table.
create policy passwords_for_owner on pie_private.passwords to current_user using (true) with check (true);

-- Attempts that have been made, counted before their outcome is known, so that two hundred guesses
-- sent at once count as two hundred. One row is one leaky bucket: each attempt moves empty_at on by
-- the time that one attempt takes to drain, and an attempt that would move it too far is refused.
create table pie_private.throttles (
  key      text primary key,
  empty_at timestamptz not null,
  constraint throttles_key_is_short check (char_length(key) <= 200)
);
create index throttles_empty_at_idx on pie_private.throttles (empty_at);

alter table pie_private.throttles enable row level security;
alter table pie_private.throttles force row level security;

-- The owner's own functions work on every row; nobody else is granted this table.
create policy throttles_for_owner on pie_private.throttles to current_user using (true) with check (true);

-- Counts one attempt. Null when it may be made; otherwise how long to wait before the next one.
create function pie_private.spend_attempt(key text, burst integer, drain interval) returns interval
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
declare
  asked_at timestamptz := clock_timestamp();
begin
  insert into pie_private.throttles as throttles (key, empty_at)
  values (spend_attempt.key, asked_at + drain)
  on conflict on constraint throttles_pkey do update
    set empty_at = greatest(throttles.empty_at, asked_at) + drain
    where greatest(throttles.empty_at, asked_at) + drain <= asked_at + burst * drain;
  if found then
    return null;
  end if;
  return (
    select greatest(throttles.empty_at - (burst - 1) * drain - asked_at, interval '1 second')
    from pie_private.throttles
    where throttles.key = spend_attempt.key
  );
end
$$;

-- Gives an attempt back, after it turned out to be the owner's own.
create function pie_private.refund_attempt(key text, drain interval) returns void
  language sql
  set search_path = pg_catalog, pg_temp
as $$
  update pie_private.throttles set empty_at = throttles.empty_at - drain
  where throttles.key = refund_attempt.key
$$;

-- Buckets that have run empty say nothing any more. Whoever counts an attempt clears a few of them
-- away, so the table stays as small as the last minutes' attempts and needs no job.
create function pie_private.clear_empty_throttles() returns void
  language sql
  set search_path = pg_catalog, pg_temp
as $$
  delete from pie_private.throttles
  where throttles.key in (
    select stale.key from pie_private.throttles as stale
    where stale.empty_at < now() - interval '1 minute'
    order by stale.empty_at
    limit 4
    for update skip locked
  )
$$;

revoke execute on function pie_private.spend_attempt(text, integer, interval) from public;
revoke execute on function pie_private.refund_attempt(text, interval) from public;
revoke execute on function pie_private.clear_empty_throttles() from public;

comment on table pie_private.passwords is 'Argon2id hashes of passwords. Granted to no role.';
comment on column pie_private.passwords.user_id is 'Whose password this is.';
comment on column pie_private.passwords.hash is 'The hash in PHC form, with its parameters and salt.';
comment on column pie_private.passwords.changed_at is 'When the password was last set.';
comment on table pie_private.throttles is 'Leaky buckets that slow down guessing. Granted to no role.';
comment on column pie_private.throttles.key is 'What is counted: a subject, a colon, and a hash or a network.';
comment on column pie_private.throttles.empty_at is 'When the attempts made so far will have drained away.';
comment on function pie_private.spend_attempt(text, integer, interval) is 'Counts one attempt; null if it may be made, otherwise how long to wait.';
comment on function pie_private.refund_attempt(text, interval) is 'Takes one attempt back.';
comment on function pie_private.clear_empty_throttles() is 'Deletes a few buckets that have drained.';
