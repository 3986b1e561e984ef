-- A session is one row that can act as a user: a browser, a token client, an OAuth grant, an API key.
--
-- The row keeps only the hash of the session's proof. The proof is an HMAC of the id under a key that
-- the server derives from SECRET_KEY, so a dump of this table opens nothing, and neither does the key
-- without the table.
create table pie_private.sessions (
  id                   uuid primary key,
  user_id              uuid not null references pie_schema.users (id) on delete cascade,
  kind                 text not null,
  proof_hash           bytea not null,
  created_at           timestamptz not null default now(),
  last_seen_at         timestamptz not null default now(),
  expires_at           timestamptz not null,
  absolute_expires_at  timestamptz not null,
  revoked_at           timestamptz,
  revoked_reason       text,
  assurance_level      smallint not null default 1,
  methods              text[] not null,
  refresh_generation   integer not null default 0,
  refreshed_at         timestamptz not null default now(),
  successor_id         uuid references pie_private.sessions (id) on delete set null,
  actor_id             uuid references pie_schema.users (id) on delete cascade,
  scopes               text[],
  address              inet,
  user_agent           text,
  version              bigint not null default 1,
  constraint sessions_kind_is_known check (kind in ('browser', 'token', 'oauth', 'api_key')),
  constraint sessions_proof_hash_is_sha256 check (octet_length(proof_hash) = 32),
  constraint sessions_expiry_within_limit check (expires_at <= absolute_expires_at),
  constraint sessions_revoked_for_a_reason check ((revoked_at is null) = (revoked_reason is null)),
  constraint sessions_assurance_level_is_known check (assurance_level between 1 and 3),
  constraint sessions_user_agent_is_short check (char_length(user_agent) <= 512)
) with (fillfactor = 80);
create index sessions_user_id_idx on pie_private.sessions (user_id);
create index sessions_actor_id_idx on pie_private.sessions (actor_id) where actor_id is not null;
create unique index sessions_successor_id_idx on pie_private.sessions (successor_id) where successor_id is not null;

-- Refreshing, which is all the time, counts the version itself; every other change has it counted here.
create trigger sessions_touch before update on pie_private.sessions
  for each row when (new.version <> old.version + 1) execute function pie_private.touch_version();

alter table pie_private.sessions enable row level security;
alter table pie_private.sessions force row level security;

-- The owner's own functions work on every row; nobody else is granted this table.
create policy sessions_for_owner on pie_private.sessions to current_user using (true) with check (true);

-- A disabled user's sessions end in the transaction that disables, whoever writes it, so that proving
-- a session needs to look at the session alone.
create function pie_private.end_sessions_of_disabled_user() returns trigger
  language plpgsql
  security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  update pie_private.sessions
  set revoked_at = now(), revoked_reason = 'user_disabled'
  where user_id = new.id and revoked_at is null;
  return null;
end
$$;
revoke execute on function pie_private.end_sessions_of_disabled_user() from public;
create trigger users_end_sessions_when_disabled after update of disabled_at on pie_schema.users
  for each row when (new.disabled_at is not null and old.disabled_at is null)
  execute function pie_private.end_sessions_of_disabled_user();

comment on table pie_private.sessions is 'One row that can act as a user; revoking the row ends everything issued for it.';
comment on column pie_private.sessions.id is 'Identifies the session; the `sid` of its tokens. Not a secret: it opens nothing without its proof.';
comment on column pie_private.sessions.user_id is 'Whom the session acts as.';
comment on column pie_private.sessions.kind is 'What holds the session: browser, token, oauth or api_key.';
comment on column pie_private.sessions.proof_hash is 'SHA-256 of the session''s proof; the proof itself is stored nowhere.';
comment on column pie_private.sessions.created_at is 'When the session was started.';
comment on column pie_private.sessions.last_seen_at is 'When the session was last used, written at most every few minutes.';
comment on column pie_private.sessions.expires_at is 'When the session ends unless it is used or refreshed before.';
comment on column pie_private.sessions.absolute_expires_at is 'When the session ends, however much it is used.';
comment on column pie_private.sessions.revoked_at is 'Since when the session is refused; null for one that is not revoked.';
comment on column pie_private.sessions.revoked_reason is 'Why it was revoked: logout, stolen, user_disabled and others.';
comment on column pie_private.sessions.assurance_level is 'How sure Pie is of the person, 1 to 3 (NIST SP 800-63B).';
comment on column pie_private.sessions.methods is 'How the person signed in, as RFC 8176 names it: pwd, otp, hwk and others.';
comment on column pie_private.sessions.refresh_generation is 'Which refresh token is the current one; grows by one at each refresh.';
comment on column pie_private.sessions.refreshed_at is 'When the current refresh token was made.';
comment on column pie_private.sessions.successor_id is 'The session that continues this one after a renewal.';
comment on column pie_private.sessions.actor_id is 'Who acts, where it is somebody else than the user (RFC 8693 section 4.1).';
comment on column pie_private.sessions.scopes is 'What the session is limited to; null for no limit.';
comment on column pie_private.sessions.address is 'The network address the session was started from.';
comment on column pie_private.sessions.user_agent is 'What the client called itself, cut to 512 characters.';
comment on column pie_private.sessions.version is 'Grows by one with every change; what caches compare.';
comment on function pie_private.end_sessions_of_disabled_user() is 'Trigger: disabling a user ends their sessions in the same transaction.';
