-- The database as the migrations leave it. Printed by `npm run print`; not to be edited.
-- Read it to review a change; the reasons stand in the migrations.

create schema pie_hooks;
comment on schema pie_hooks is 'Functions that the application defines and Pie calls.';

create schema pie_private;
comment on schema pie_private is 'Secrets, sessions and the functions that handle them. No table here is granted to anyone.';
grant usage on schema pie_private to cream;
grant usage on schema pie_private to pie_auth;

create schema pie_schema;
comment on schema pie_schema is 'Users, roles and permissions: what a signed-in request may see, row by row.';
grant usage on schema pie_schema to webuser;

create table pie_private.audit_log (
  id bigint generated always as identity not null,
  happened_at timestamp with time zone default now() not null,
  event text not null,
  user_id uuid,
  session_id uuid,
  address inet,
  detail jsonb default '{}'::jsonb not null,
  constraint audit_log_detail_is_object CHECK ((jsonb_typeof(detail) = 'object'::text)),
  constraint audit_log_event_is_subject_and_verb CHECK ((event ~ '^[a-z_]+\.[a-z_]+$'::text))
) partition by RANGE (happened_at);
CREATE INDEX audit_log_user_id_idx ON ONLY pie_private.audit_log USING btree (user_id, id);
CREATE TRIGGER audit_log_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pie_private.audit_log FOR EACH STATEMENT EXECUTE FUNCTION pie_private.refuse_change();
alter table pie_private.audit_log enable row level security;
alter table pie_private.audit_log force row level security;
create policy audit_log_add_by_owner on pie_private.audit_log for insert to <owner> with check (true);
create policy audit_log_read_by_owner on pie_private.audit_log for select to <owner> using (true);
comment on table pie_private.audit_log is 'What happened and to whom, a partition for each month. Lines are added, never changed or deleted.';
comment on column pie_private.audit_log.id is 'The order in which lines were added.';
comment on column pie_private.audit_log.happened_at is 'When the transaction that did it began.';
comment on column pie_private.audit_log.event is 'What happened, as `subject.verb`.';
comment on column pie_private.audit_log.user_id is 'To whom; no foreign key, because a line outlives its user.';
comment on column pie_private.audit_log.session_id is 'In which session.';
comment on column pie_private.audit_log.address is 'From which network address.';
comment on column pie_private.audit_log.detail is 'What else is worth knowing. Never a secret.';

create table pie_private.held_changes (
  user_id uuid not null,
  constraint held_changes_pkey PRIMARY KEY (user_id)
);
alter table pie_private.held_changes enable row level security;
alter table pie_private.held_changes force row level security;
create policy held_changes_for_owner on pie_private.held_changes for all to <owner> using (true) with check (true);
comment on table pie_private.held_changes is 'Users for whom after_user_changed is not to be called just now: it is at work for them, or their change is not done. Empty outside of transactions.';
comment on column pie_private.held_changes.user_id is 'The user.';

create table pie_private.known_networks (
  user_id uuid not null,
  network text not null,
  last_seen_at timestamp with time zone default now() not null,
  constraint known_networks_pkey PRIMARY KEY (user_id, network),
  constraint known_networks_network_is_short CHECK ((char_length(network) <= 50)),
  constraint known_networks_user_id_fkey FOREIGN KEY (user_id) REFERENCES pie_schema.users(id) ON DELETE CASCADE
);
CREATE INDEX known_networks_last_seen_at_idx ON pie_private.known_networks USING btree (last_seen_at);
alter table pie_private.known_networks enable row level security;
alter table pie_private.known_networks force row level security;
create policy known_networks_for_owner on pie_private.known_networks for all to <owner> using (true) with check (true);
comment on table pie_private.known_networks is 'Where users have signed in from lately. Granted to no role.';
comment on column pie_private.known_networks.user_id is 'Who has signed in there.';
comment on column pie_private.known_networks.network is 'The network, as network_of says it.';
comment on column pie_private.known_networks.last_seen_at is 'When a session that was started there was last started or used, to the day.';

create table pie_private.migrations (
  name text not null,
  checksum text not null,
  applied_at timestamp with time zone default now() not null,
  made text[],
  constraint migrations_pkey PRIMARY KEY (name)
);
alter table pie_private.migrations enable row level security;
alter table pie_private.migrations force row level security;
create policy migrations_for_owner on pie_private.migrations for all to <owner> using (true) with check (true);
comment on table pie_private.migrations is 'The migrations that this database has had.';
comment on column pie_private.migrations.name is 'The migration''s file name.';
comment on column pie_private.migrations.checksum is 'SHA-256 of the file when it ran.';
comment on column pie_private.migrations.applied_at is 'When it ran.';
comment on column pie_private.migrations.made is 'What an application''s migration has made, each as `drop` takes it; null where that was not written down.';

create table pie_private.nodes (
  id uuid not null,
  version text not null,
  settings jsonb not null,
  started_at timestamp with time zone default now() not null,
  seen_at timestamp with time zone default now() not null,
  constraint nodes_pkey PRIMARY KEY (id),
  constraint nodes_are_small CHECK (((octet_length((settings)::text) <= 4000) AND (char_length(version) <= 100)))
);
alter table pie_private.nodes enable row level security;
alter table pie_private.nodes force row level security;
create policy nodes_for_owner on pie_private.nodes for all to <owner> using (true) with check (true);
comment on table pie_private.nodes is 'The nodes that serve this database, as they say themselves. Granted to no role.';
comment on column pie_private.nodes.id is 'Made by the node when it starts.';
comment on column pie_private.nodes.version is 'The version of Pie.';
comment on column pie_private.nodes.settings is 'The settings that all nodes have to have alike, by name. No secrets.';
comment on column pie_private.nodes.started_at is 'When it started.';
comment on column pie_private.nodes.seen_at is 'When it last said that it is there.';

create table pie_private.passwords (
  user_id uuid not null,
  hash text not null,
  changed_at timestamp with time zone default now() not null,
  constraint passwords_pkey PRIMARY KEY (user_id),
  constraint passwords_hash_is_argon2id CHECK (((hash ~~ '$argon2id$%'::text) AND (char_length(hash) <= 256))),
  constraint passwords_user_id_fkey FOREIGN KEY (user_id) REFERENCES pie_schema.users(id) ON DELETE CASCADE
);
alter table pie_private.passwords enable row level security;
alter table pie_private.passwords force row level security;
create policy passwords_for_owner on pie_private.passwords for all to <owner> using (true) with check (true);
comment on table pie_private.passwords is 'Argon2id hashes of passwords. Granted to no role.';
comment on column pie_private.passwords.user_id is 'Whose password this is.';
comment on column pie_private.passwords.hash is 'The hash in PHC form, with its parameters and salt.';
comment on column pie_private.passwords.changed_at is 'When the password was last set.';

create table pie_private.sessions (
  id uuid not null,
  user_id uuid not null,
  kind text not null,
  proof_hash bytea not null,
  created_at timestamp with time zone default now() not null,
  last_seen_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone not null,
  absolute_expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  revoked_reason text,
  assurance_level smallint default 1 not null,
  methods text[] not null,
  refresh_generation integer default 0 not null,
  refreshed_at timestamp with time zone default now() not null,
  successor_id uuid,
  actor_id uuid,
  scopes text[],
  address inet,
  user_agent text,
  version bigint default 1 not null,
  constraint sessions_pkey PRIMARY KEY (id),
  constraint sessions_assurance_level_is_known CHECK (((assurance_level >= 1) AND (assurance_level <= 3))),
  constraint sessions_expiry_within_limit CHECK ((expires_at <= absolute_expires_at)),
  constraint sessions_kind_is_known CHECK ((kind = ANY (ARRAY['browser'::text, 'token'::text, 'oauth'::text, 'api_key'::text]))),
  constraint sessions_proof_hash_is_sha256 CHECK ((octet_length(proof_hash) = 32)),
  constraint sessions_revoked_for_a_reason CHECK (((revoked_at IS NULL) = (revoked_reason IS NULL))),
  constraint sessions_user_agent_is_short CHECK ((char_length(user_agent) <= 512)),
  constraint sessions_actor_id_fkey FOREIGN KEY (actor_id) REFERENCES pie_schema.users(id) ON DELETE CASCADE,
  constraint sessions_successor_id_fkey FOREIGN KEY (successor_id) REFERENCES pie_private.sessions(id) ON DELETE CASCADE,
  constraint sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES pie_schema.users(id) ON DELETE CASCADE
) with (fillfactor=80);
CREATE INDEX sessions_absolute_expires_at_idx ON pie_private.sessions USING btree (absolute_expires_at) WHERE (revoked_at IS NULL);
CREATE INDEX sessions_actor_id_idx ON pie_private.sessions USING btree (actor_id) WHERE (actor_id IS NOT NULL);
CREATE INDEX sessions_revoked_at_idx ON pie_private.sessions USING btree (revoked_at) WHERE (revoked_at IS NOT NULL);
CREATE UNIQUE INDEX sessions_successor_id_idx ON pie_private.sessions USING btree (successor_id) WHERE (successor_id IS NOT NULL);
CREATE INDEX sessions_user_id_idx ON pie_private.sessions USING btree (user_id);
CREATE TRIGGER sessions_announce_change AFTER UPDATE ON pie_private.sessions FOR EACH ROW EXECUTE FUNCTION pie_private.announce_session();
CREATE TRIGGER sessions_announce_deletion AFTER DELETE ON pie_private.sessions FOR EACH ROW WHEN (((old.revoked_at IS NULL) AND (old.expires_at > (now() - '01:00:00'::interval)))) EXECUTE FUNCTION pie_private.announce_session();
CREATE TRIGGER sessions_announce_truncation AFTER TRUNCATE ON pie_private.sessions FOR EACH STATEMENT EXECUTE FUNCTION pie_private.announce_everything();
CREATE TRIGGER sessions_remember_network AFTER INSERT ON pie_private.sessions FOR EACH ROW WHEN (((new.address IS NOT NULL) AND (new.actor_id IS NULL))) EXECUTE FUNCTION pie_private.remember_network();
CREATE TRIGGER sessions_touch BEFORE UPDATE ON pie_private.sessions FOR EACH ROW WHEN ((new.version <> (old.version + 1))) EXECUTE FUNCTION pie_private.touch_version();
alter table pie_private.sessions enable row level security;
alter table pie_private.sessions force row level security;
create policy sessions_for_owner on pie_private.sessions for all to <owner> using (true) with check (true);
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

create table pie_private.signing_keys (
  kid text not null,
  public_jwk jsonb not null,
  sealed_private bytea not null,
  created_at timestamp with time zone default now() not null,
  signs_from timestamp with time zone not null,
  verifies_until timestamp with time zone,
  constraint signing_keys_pkey PRIMARY KEY (kid),
  constraint signing_keys_public_jwk_is_public CHECK (((jsonb_typeof(public_jwk) = 'object'::text) AND (NOT (public_jwk ? 'd'::text)) AND (NOT ((public_jwk ->> 'kid'::text) IS DISTINCT FROM kid)))),
  constraint signing_keys_verifies_after_it_signs CHECK ((verifies_until >= created_at))
);
alter table pie_private.signing_keys enable row level security;
alter table pie_private.signing_keys force row level security;
create policy signing_keys_for_owner on pie_private.signing_keys for all to <owner> using (true) with check (true);
comment on table pie_private.signing_keys is 'ES256 keys that sign access tokens. Granted to no role.';
comment on column pie_private.signing_keys.kid is 'Names the key in tokens and in the published key set: its RFC 7638 thumbprint.';
comment on column pie_private.signing_keys.public_jwk is 'The public key as published (RFC 7517).';
comment on column pie_private.signing_keys.sealed_private is 'The private key, sealed with AES-256-GCM under a key derived from SECRET_KEY.';
comment on column pie_private.signing_keys.created_at is 'When the key was made.';
comment on column pie_private.signing_keys.signs_from is 'From when on this key signs, if no newer one does.';
comment on column pie_private.signing_keys.verifies_until is 'When the key stops being published; null for the newest.';

create table pie_private.throttles (
  key text not null,
  empty_at timestamp with time zone not null,
  constraint throttles_pkey PRIMARY KEY (key),
  constraint throttles_key_is_short CHECK ((char_length(key) <= 200))
);
CREATE INDEX throttles_empty_at_idx ON pie_private.throttles USING btree (empty_at);
alter table pie_private.throttles enable row level security;
alter table pie_private.throttles force row level security;
create policy throttles_for_owner on pie_private.throttles for all to <owner> using (true) with check (true);
comment on table pie_private.throttles is 'Leaky buckets that slow down guessing. Granted to no role.';
comment on column pie_private.throttles.key is 'What is counted: a subject, a colon, and a hash or a network.';
comment on column pie_private.throttles.empty_at is 'When the attempts made so far will have drained away.';

create table pie_private.turns (
  name text not null,
  constraint turns_pkey PRIMARY KEY (name)
);
alter table pie_private.turns enable row level security;
alter table pie_private.turns force row level security;
create policy turns_for_owner on pie_private.turns for all to <owner> using (true) with check (true);
comment on table pie_private.turns is 'Locked by whoever prepares this database. Granted to no role.';
comment on column pie_private.turns.name is 'What the turn is for.';

create table pie_private.used_csrf_tokens (
  token_hash bytea not null,
  expires_at timestamp with time zone not null,
  constraint used_csrf_tokens_pkey PRIMARY KEY (token_hash),
  constraint used_csrf_tokens_token_hash_is_sha256 CHECK ((octet_length(token_hash) = 32))
);
CREATE INDEX used_csrf_tokens_expires_at_idx ON pie_private.used_csrf_tokens USING btree (expires_at);
alter table pie_private.used_csrf_tokens enable row level security;
alter table pie_private.used_csrf_tokens force row level security;
create policy used_csrf_tokens_for_owner on pie_private.used_csrf_tokens for all to <owner> using (true) with check (true);
comment on table pie_private.used_csrf_tokens is 'CSRF tokens that have been used. Granted to no role.';
comment on column pie_private.used_csrf_tokens.token_hash is 'SHA-256 of the token.';
comment on column pie_private.used_csrf_tokens.expires_at is 'When the token would have expired.';

create table pie_schema.permissions (
  name text not null,
  description text not null,
  constraint permissions_pkey PRIMARY KEY (name),
  constraint permissions_name_is_subject_and_verb CHECK ((name ~ '^[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*$'::text))
);
alter table pie_schema.permissions enable row level security;
alter table pie_schema.permissions force row level security;
create policy permissions_for_owner on pie_schema.permissions for all to <owner> using (true) with check (true);
create policy permissions_signed_in on pie_schema.permissions for select to webuser using ((( SELECT pie_schema.current_user_id() AS current_user_id) IS NOT NULL));
grant select on pie_schema.permissions to webuser;
comment on table pie_schema.permissions is 'Something a role may do, as `subject:verb`.';
comment on column pie_schema.permissions.name is 'The permission''s name, as tokens carry it.';
comment on column pie_schema.permissions.description is 'What the permission allows, in a sentence.';

create table pie_schema.profiles (
  user_id uuid not null,
  display_name text,
  constraint profiles_pkey PRIMARY KEY (user_id),
  constraint profiles_user_id_fkey FOREIGN KEY (user_id) REFERENCES pie_schema.users(id) ON DELETE CASCADE
);
CREATE TRIGGER profiles_say_the_users_name BEFORE INSERT OR UPDATE ON pie_schema.profiles FOR EACH ROW EXECUTE FUNCTION pie_private.hold_profile();
alter table pie_schema.profiles enable row level security;
alter table pie_schema.profiles force row level security;
create policy profiles_admin on pie_schema.profiles for select to webadmin using (( SELECT pie_schema.has_role('admin'::text) AS has_role));
create policy profiles_for_owner on pie_schema.profiles for all to <owner> using (true) with check (true);
create policy profiles_own on pie_schema.profiles for select to webuser using ((user_id = ( SELECT pie_schema.current_user_id() AS current_user_id)));
grant select on pie_schema.profiles to webuser;
comment on table pie_schema.profiles is 'What others may be shown of a user: as far as policies of the application say, and oneself. Its foreign keys point here.';
comment on column pie_schema.profiles.user_id is 'The user.';
comment on column pie_schema.profiles.display_name is 'What the user wants to be called: always the same as the user''s name.';

create table pie_schema.role_permissions (
  role text not null,
  permission text not null,
  constraint role_permissions_pkey PRIMARY KEY (role, permission),
  constraint role_permissions_permission_fkey FOREIGN KEY (permission) REFERENCES pie_schema.permissions(name) ON UPDATE CASCADE ON DELETE CASCADE,
  constraint role_permissions_role_fkey FOREIGN KEY (role) REFERENCES pie_schema.roles(name) ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX role_permissions_permission_idx ON pie_schema.role_permissions USING btree (permission);
CREATE TRIGGER role_permissions_announce_change AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON pie_schema.role_permissions FOR EACH STATEMENT EXECUTE FUNCTION pie_private.announce_everything();
alter table pie_schema.role_permissions enable row level security;
alter table pie_schema.role_permissions force row level security;
create policy role_permissions_all on pie_schema.role_permissions for select to webuser using (true);
create policy role_permissions_for_owner on pie_schema.role_permissions for all to <owner> using (true) with check (true);
grant select on pie_schema.role_permissions to webuser;
comment on table pie_schema.role_permissions is 'Which role has which permission.';
comment on column pie_schema.role_permissions.role is 'The role.';
comment on column pie_schema.role_permissions.permission is 'A permission that the role has.';

create table pie_schema.roles (
  name text not null,
  description text not null,
  constraint roles_pkey PRIMARY KEY (name),
  constraint roles_name_is_a_word CHECK ((name ~ '^[a-z][a-z0-9_-]{0,62}$'::text))
);
CREATE TRIGGER roles_announce_change AFTER DELETE OR UPDATE OR TRUNCATE ON pie_schema.roles FOR EACH STATEMENT EXECUTE FUNCTION pie_private.announce_everything();
alter table pie_schema.roles enable row level security;
alter table pie_schema.roles force row level security;
create policy roles_for_owner on pie_schema.roles for all to <owner> using (true) with check (true);
create policy roles_signed_in on pie_schema.roles for select to webuser using ((( SELECT pie_schema.current_user_id() AS current_user_id) IS NOT NULL));
grant select on pie_schema.roles to webuser;
comment on table pie_schema.roles is 'A role of the application. Not a database role.';
comment on column pie_schema.roles.name is 'The role''s name, as tokens carry it.';
comment on column pie_schema.roles.description is 'What the role is for, in a sentence.';

create table pie_schema.user_emails (
  id uuid default gen_random_uuid() not null,
  user_id uuid not null,
  email text not null,
  is_verified boolean default false not null,
  is_primary boolean default false not null,
  created_at timestamp with time zone default now() not null,
  constraint user_emails_pkey PRIMARY KEY (id),
  constraint user_emails_email_key UNIQUE (email),
  constraint user_emails_email_is_plain CHECK (((email = lower(email)) AND (char_length(email) <= 254) AND (email ~ '^[a-z0-9!#$%&''*+/=?^_`{|}~.-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$'::text))),
  constraint user_emails_user_id_fkey FOREIGN KEY (user_id) REFERENCES pie_schema.users(id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX user_emails_one_primary_idx ON pie_schema.user_emails USING btree (user_id) WHERE is_primary;
CREATE INDEX user_emails_user_id_idx ON pie_schema.user_emails USING btree (user_id);
CREATE TRIGGER user_emails_announce_truncation AFTER TRUNCATE ON pie_schema.user_emails FOR EACH STATEMENT EXECUTE FUNCTION pie_private.announce_everything();
CREATE TRIGGER user_emails_tell_of_addition AFTER INSERT ON pie_schema.user_emails REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pie_private.tell_of_changed_users();
CREATE TRIGGER user_emails_tell_of_change AFTER UPDATE ON pie_schema.user_emails REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pie_private.tell_of_changed_users();
CREATE TRIGGER user_emails_tell_of_removal AFTER DELETE ON pie_schema.user_emails REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION pie_private.tell_of_changed_users();
CREATE TRIGGER user_emails_touch_user AFTER INSERT OR DELETE OR UPDATE ON pie_schema.user_emails FOR EACH ROW EXECUTE FUNCTION pie_private.touch_user_of_row();
alter table pie_schema.user_emails enable row level security;
alter table pie_schema.user_emails force row level security;
create policy user_emails_admin on pie_schema.user_emails for select to webadmin using (( SELECT pie_schema.has_role('admin'::text) AS has_role));
create policy user_emails_for_owner on pie_schema.user_emails for all to <owner> using (true) with check (true);
create policy user_emails_own on pie_schema.user_emails for select to webuser using ((user_id = ( SELECT pie_schema.current_user_id() AS current_user_id)));
grant select on pie_schema.user_emails to webuser;
comment on table pie_schema.user_emails is 'An address that a user signs in with or is written to at.';
comment on column pie_schema.user_emails.id is 'Identifies the address.';
comment on column pie_schema.user_emails.user_id is 'Whose address this is.';
comment on column pie_schema.user_emails.email is 'The address, in lower case; unique among all users.';
comment on column pie_schema.user_emails.is_verified is 'Whether the user has shown that mail to this address reaches them.';
comment on column pie_schema.user_emails.is_primary is 'Whether this is the address that Pie writes to.';
comment on column pie_schema.user_emails.created_at is 'When the address was added.';

create table pie_schema.user_roles (
  user_id uuid not null,
  role text not null,
  granted_at timestamp with time zone default now() not null,
  constraint user_roles_pkey PRIMARY KEY (user_id, role),
  constraint user_roles_role_fkey FOREIGN KEY (role) REFERENCES pie_schema.roles(name) ON UPDATE CASCADE ON DELETE CASCADE,
  constraint user_roles_user_id_fkey FOREIGN KEY (user_id) REFERENCES pie_schema.users(id) ON DELETE CASCADE
);
CREATE INDEX user_roles_role_idx ON pie_schema.user_roles USING btree (role);
CREATE TRIGGER user_roles_announce_truncation AFTER TRUNCATE ON pie_schema.user_roles FOR EACH STATEMENT EXECUTE FUNCTION pie_private.announce_everything();
CREATE TRIGGER user_roles_tell_of_addition AFTER INSERT ON pie_schema.user_roles REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pie_private.tell_of_changed_users();
CREATE TRIGGER user_roles_tell_of_change AFTER UPDATE ON pie_schema.user_roles REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pie_private.tell_of_changed_users();
CREATE TRIGGER user_roles_tell_of_removal AFTER DELETE ON pie_schema.user_roles REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION pie_private.tell_of_changed_users();
CREATE TRIGGER user_roles_touch_user AFTER INSERT OR DELETE OR UPDATE ON pie_schema.user_roles FOR EACH ROW EXECUTE FUNCTION pie_private.touch_user_of_row();
CREATE TRIGGER user_roles_turn_over_sessions AFTER INSERT OR DELETE OR UPDATE ON pie_schema.user_roles FOR EACH ROW EXECUTE FUNCTION pie_private.turn_over_sessions();
alter table pie_schema.user_roles enable row level security;
alter table pie_schema.user_roles force row level security;
create policy user_roles_admin on pie_schema.user_roles for select to webadmin using (( SELECT pie_schema.has_role('admin'::text) AS has_role));
create policy user_roles_for_owner on pie_schema.user_roles for all to <owner> using (true) with check (true);
create policy user_roles_own on pie_schema.user_roles for select to webuser using ((user_id = ( SELECT pie_schema.current_user_id() AS current_user_id)));
grant select on pie_schema.user_roles to webuser;
comment on table pie_schema.user_roles is 'Which user has which role.';
comment on column pie_schema.user_roles.user_id is 'The user.';
comment on column pie_schema.user_roles.role is 'A role that the user has.';
comment on column pie_schema.user_roles.granted_at is 'When the user was given the role.';

create table pie_schema.users (
  id uuid not null,
  name text,
  disabled_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  version bigint default 1 not null,
  constraint users_pkey PRIMARY KEY (id),
  constraint users_name_is_one_line CHECK ((((char_length(name) >= 1) AND (char_length(name) <= 200)) AND (name !~ '[[:cntrl:]\u2028\u2029]'::text) AND (name = btrim(name))))
);
CREATE TRIGGER users_announce_change AFTER DELETE OR UPDATE ON pie_schema.users FOR EACH ROW EXECUTE FUNCTION pie_private.announce_user();
CREATE TRIGGER users_announce_truncation AFTER TRUNCATE ON pie_schema.users FOR EACH STATEMENT EXECUTE FUNCTION pie_private.announce_everything();
CREATE TRIGGER users_are_profiles AFTER INSERT OR UPDATE ON pie_schema.users FOR EACH ROW EXECUTE FUNCTION pie_private.keep_profile();
CREATE TRIGGER users_call_hook_when_created AFTER INSERT ON pie_schema.users FOR EACH ROW EXECUTE FUNCTION pie_private.call_hook('after_user_created');
CREATE TRIGGER users_call_hook_when_deleted AFTER DELETE ON pie_schema.users FOR EACH ROW EXECUTE FUNCTION pie_private.call_hook('after_user_deleted');
CREATE TRIGGER users_end_sessions_when_disabled AFTER UPDATE OF disabled_at ON pie_schema.users FOR EACH ROW WHEN (((new.disabled_at IS NOT NULL) AND (old.disabled_at IS NULL))) EXECUTE FUNCTION pie_private.end_sessions_of_disabled_user();
CREATE TRIGGER users_tell_of_change AFTER UPDATE ON pie_schema.users REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pie_private.tell_of_changed_users();
CREATE TRIGGER users_touch BEFORE UPDATE ON pie_schema.users FOR EACH ROW EXECUTE FUNCTION pie_private.touch_user();
alter table pie_schema.users enable row level security;
alter table pie_schema.users force row level security;
create policy users_admin on pie_schema.users for select to webadmin using (( SELECT pie_schema.has_role('admin'::text) AS has_role));
create policy users_change_admin on pie_schema.users for update to webadmin using (( SELECT pie_schema.has_role('admin'::text) AS has_role)) with check (( SELECT pie_schema.has_role('admin'::text) AS has_role));
create policy users_change_own on pie_schema.users for update to webuser using ((id = ( SELECT pie_schema.current_user_id() AS current_user_id))) with check ((id = ( SELECT pie_schema.current_user_id() AS current_user_id)));
create policy users_for_owner on pie_schema.users for all to <owner> using (true) with check (true);
create policy users_own on pie_schema.users for select to webuser using ((id = ( SELECT pie_schema.current_user_id() AS current_user_id)));
grant select on pie_schema.users to webuser;
grant update (name) on pie_schema.users to webuser;
comment on table pie_schema.users is 'A person or a service account.';
comment on column pie_schema.users.id is 'Identifies the user for ever; the `sub` of every token.';
comment on column pie_schema.users.name is 'What the user wants to be called: one line, 1 to 200 characters.';
comment on column pie_schema.users.disabled_at is 'Since when the user may not sign in; null for a usable account.';
comment on column pie_schema.users.created_at is 'When the user was made.';
comment on column pie_schema.users.updated_at is 'When this row last changed.';
comment on column pie_schema.users.version is 'Grows by one with every change; what caches compare.';

create view pie_private.session_descriptions with (security_invoker=true) as
 SELECT sessions.id,
    sessions.proof_hash,
    ((sessions.revoked_at IS NULL) AND (sessions.absolute_expires_at > now())) AS is_usable,
    json_build_object('read_at', (EXTRACT(epoch FROM now()) * (1000)::numeric), 'read_after', ((pg_snapshot_xmax(pg_current_snapshot()))::text)::bigint, 'is_expired', (sessions.expires_at <= now()), 'session', json_build_object('id', sessions.id, 'kind', sessions.kind, 'created_at', sessions.created_at, 'last_seen_at', sessions.last_seen_at, 'expires_at', sessions.expires_at, 'absolute_expires_at', sessions.absolute_expires_at, 'assurance_level', sessions.assurance_level, 'methods', sessions.methods), 'session_version', sessions.version, 'user_version', users.version, 'user', user_descriptions.description) AS description
   FROM ((pie_private.sessions
     JOIN pie_schema.users ON ((users.id = sessions.user_id)))
     JOIN pie_schema.user_descriptions ON ((user_descriptions.id = sessions.user_id)));
comment on view pie_private.session_descriptions is 'Sessions as nodes cache them. Granted to no role.';

create view pie_schema.user_descriptions with (security_invoker=true) as
 SELECT users.id,
    json_build_object('id', users.id, 'email', user_emails.email, 'email_verified', user_emails.is_verified, 'name', users.name, 'roles', granted.roles, 'permissions', granted.permissions, 'created_at', users.created_at, 'updated_at', users.updated_at) AS description
   FROM ((pie_schema.users
     LEFT JOIN pie_schema.user_emails ON (((user_emails.user_id = users.id) AND user_emails.is_primary)))
     CROSS JOIN LATERAL ( SELECT COALESCE(array_agg(DISTINCT user_roles.role), '{}'::text[]) AS roles,
            COALESCE(array_agg(DISTINCT role_permissions.permission) FILTER (WHERE (role_permissions.permission IS NOT NULL)), '{}'::text[]) AS permissions
           FROM (pie_schema.user_roles
             LEFT JOIN pie_schema.role_permissions USING (role))
          WHERE (user_roles.user_id = users.id)) granted);
grant select on pie_schema.user_descriptions to webuser;
comment on view pie_schema.user_descriptions is 'Users with address, roles and permissions, as far as the caller may see them.';

CREATE OR REPLACE FUNCTION pie_private.add_first_signing_key(kid text, public_jwk jsonb, sealed_private bytea)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  lock table pie_private.signing_keys in share row exclusive mode;
  insert into pie_private.signing_keys (kid, public_jwk, sealed_private, signs_from)
  select add_first_signing_key.kid, add_first_signing_key.public_jwk, add_first_signing_key.sealed_private, now()
  where not exists (
    select from pie_private.signing_keys where signing_keys.verifies_until is null
  );
end
$function$
;
grant execute on function pie_private.add_first_signing_key(text,jsonb,bytea) to pie_auth;
comment on function pie_private.add_first_signing_key(text,jsonb,bytea) is 'Adds the first key, unless there is one.';

CREATE OR REPLACE FUNCTION pie_private.announce_everything()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  perform pg_notify('pie_cache', '*');
  return null;
end
$function$
;
comment on function pie_private.announce_everything() is 'Trigger: tells every node to read everything again.';

CREATE OR REPLACE FUNCTION pie_private.announce_node(id uuid, version text, settings jsonb)
 RETURNS TABLE(other_id uuid, other_version text, other_settings jsonb, other_seen_at timestamp with time zone)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
;
grant execute on function pie_private.announce_node(uuid,text,jsonb) to pie_auth;
comment on function pie_private.announce_node(uuid,text,jsonb) is 'Says that a node is there, and shows it the others.';

CREATE OR REPLACE FUNCTION pie_private.announce_session()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  if tg_op = 'UPDATE' and not (
    new.expires_at < old.expires_at
    or new.absolute_expires_at < old.absolute_expires_at
    or (new.id, new.user_id, new.kind, new.proof_hash, new.revoked_at, new.assurance_level, new.methods,
        new.actor_id, new.scopes)
      is distinct from (old.id, old.user_id, old.kind, old.proof_hash, old.revoked_at, old.assurance_level, old.methods,
        old.actor_id, old.scopes)
  ) then
    return null;
  end if;
  -- One that gets another id is gone under the first.
  if tg_op = 'DELETE' or old.id <> new.id then
    perform pg_notify('pie_cache', 'session ' || old.id || ' 9223372036854775807');
  end if;
  if tg_op = 'UPDATE' then
    perform pg_notify('pie_cache', 'session ' || new.id || ' ' || new.version);
  end if;
  return null;
end
$function$
;
comment on function pie_private.announce_session() is 'Trigger: tells every node that a session is not what it was.';

CREATE OR REPLACE FUNCTION pie_private.announce_user()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  if tg_op = 'DELETE' then
    perform pg_notify('pie_cache', 'user ' || old.id || ' 9223372036854775807');
  else
    perform pg_notify('pie_cache', 'user ' || new.id || ' ' || new.version);
  end if;
  return null;
end
$function$
;
comment on function pie_private.announce_user() is 'Trigger: tells every node that a user is not what they were.';

CREATE OR REPLACE FUNCTION pie_private.authenticate(session_id uuid, proof bytea)
 RETURNS uuid
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  -- What SQL has prepared, made temporary or kept open on this connection was left by an earlier request, for this one.
  if pg_my_temp_schema() <> 0 or exists (select from pg_prepared_statements where from_sql)
    or exists (select from pg_cursors where is_holdable) then
    raise exception 'this connection is not clean' using errcode = 'PI001';
  end if;
  perform pg_advisory_unlock_all();
  return pie_private.take_session(session_id, proof);
end
$function$
;
grant execute on function pie_private.authenticate(uuid,bytea) to cream;
comment on function pie_private.authenticate(uuid,bytea) is 'First statement of every request transaction: proves the session and takes its database role, or raises 28000; PI001 on a connection that was left unclean.';

CREATE OR REPLACE FUNCTION pie_private.begin_password_change(session_id uuid, proofs bytea[])
 RETURNS TABLE(wait_seconds integer, user_id uuid, email text, name text, password_hash text)
 LANGUAGE plpgsql
 SECURITY DEFINER ROWS 1
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return query select * from pie_private.begin_password_change(session_id, proofs, null::inet);
end
$function$
;
grant execute on function pie_private.begin_password_change(uuid,bytea[]) to pie_auth;
comment on function pie_private.begin_password_change(uuid,bytea[]) is 'The same, for nodes of the version before.';

CREATE OR REPLACE FUNCTION pie_private.begin_password_change(session_id uuid, proofs bytea[], address inet)
 RETURNS TABLE(wait_seconds integer, user_id uuid, email text, name text, password_hash text)
 LANGUAGE plpgsql
 SECURITY DEFINER ROWS 1
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
  found_id uuid := (
    select sessions.user_id from pie_private.sessions
    where sessions.id = session_id
      and sessions.proof_hash = any (array(select sha256(proof) from unnest(proofs) as given (proof)))
      and sessions.revoked_at is null
      and sessions.expires_at > now()
  );
  line record;
  place text;
  wait interval;
begin
  if found_id is null then
    return;
  end if;
  select first.id, first.address into line from pie_private.first_of_line(session_id) as first;
  place := case
    when pie_private.network_of(line.address) = pie_private.network_of(begin_password_change.address) then 'here'
    else 'elsewhere'
  end;
  wait := pie_private.spend_attempt('password-change:' || line.id || ':' || place, 10, interval '1 minute');
  if wait is not null then
    return query select ceil(extract(epoch from wait))::integer, null::uuid, null::text, null::text, null::text;
    return;
  end if;
  return query
    select null::integer, users.id, user_emails.email, users.name, passwords.hash
    from pie_schema.users
    left join pie_schema.user_emails on user_emails.user_id = users.id and user_emails.is_primary
    left join pie_private.passwords on passwords.user_id = users.id
    where users.id = found_id;
end
$function$
;
grant execute on function pie_private.begin_password_change(uuid,bytea[],inet) to pie_auth;
comment on function pie_private.begin_password_change(uuid,bytea[],inet) is 'Counts an attempt and returns the hash to check the current password against, or how many seconds to wait.';

CREATE OR REPLACE FUNCTION pie_private.begin_password_sign_in(email text, address inet)
 RETURNS TABLE(wait_seconds integer, user_id uuid, password_hash text)
 LANGUAGE plpgsql
 SECURITY DEFINER ROWS 1
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
  if wait is null and not pie_private.is_known_network(
    coalesce(found_id, '00000000-0000-0000-0000-000000000000'), network
  ) then
    wait := pie_private.spend_attempt('account:' || account, 50, interval '30 seconds');
  end if;

  if wait is not null then
    return query select ceil(extract(epoch from wait))::integer, null::uuid, null::text;
  else
    return query select null::integer, found_id, found_hash;
  end if;
end
$function$
;
grant execute on function pie_private.begin_password_sign_in(text,inet) to pie_auth;
comment on function pie_private.begin_password_sign_in(text,inet) is 'Counts an attempt and returns the hash to check it against, or how many seconds to wait.';

CREATE OR REPLACE FUNCTION pie_private.begin_registration(address inet)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return ceil(extract(epoch from pie_private.spend_attempt(
    'registration:' || pie_private.network_of(address), 60, interval '10 seconds'
  )))::integer;
end
$function$
;
grant execute on function pie_private.begin_registration(inet) to pie_auth;
comment on function pie_private.begin_registration(inet) is 'Counts a registration; null if it may go on, otherwise how many seconds to wait.';

CREATE OR REPLACE FUNCTION pie_private.call_hook()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  perform pie_private.run_hook(tg_argv[0], case when tg_op = 'DELETE' then old.id else new.id end);
  return null;
end
$function$
;
comment on function pie_private.call_hook() is 'Trigger: calls the application''s function of this name in pie_hooks, if there is one.';

CREATE OR REPLACE FUNCTION pie_private.change_user_email(email text, new_email text, OUT outcome text, OUT old_email text)
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  found_id uuid := (
    select user_emails.user_id from pie_schema.user_emails where user_emails.email = change_user_email.email
  );
  is_first boolean;
begin
  perform from pie_schema.users where users.id = found_id for no key update;
  if not found then
    outcome := 'unknown';
    return;
  end if;
  old_email := (
    select user_emails.email from pie_schema.user_emails where user_emails.user_id = found_id and user_emails.is_primary
  );
  -- Not the first is a hook's own doing.
  insert into pie_private.held_changes (user_id) values (found_id) on conflict do nothing;
  is_first := found;
  insert into pie_schema.user_emails (user_id, email) values (found_id, new_email)
  on conflict on constraint user_emails_email_key do nothing;
  outcome := case when found then 'changed' else 'taken' end;
  if outcome = 'changed' then
    delete from pie_schema.user_emails where user_emails.user_id = found_id and user_emails.is_primary;
    update pie_schema.user_emails set is_primary = true where user_emails.email = new_email;
    perform pie_private.record_event('email.changed', found_id, null, null,
      jsonb_build_object('by', 'operator', 'from', old_email, 'to', new_email));
  end if;
  if is_first then
    delete from pie_private.held_changes where held_changes.user_id = found_id;
  end if;
  if is_first and outcome = 'changed' then
    perform pie_private.tell_of_changed_user(found_id);
  end if;
end
$function$
;
comment on function pie_private.change_user_email(text,text) is 'Gives the user of an address another primary address, not verified. For the owner alone.';

CREATE OR REPLACE FUNCTION pie_private.check_primary(timeline integer DEFAULT NULL::integer)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  if pg_is_in_recovery() then
    raise exception 'this server is a standby, and decides nothing' using errcode = '25006';
  end if;
  if current_setting('transaction_read_only')::boolean then
    raise exception 'this server takes no changes' using errcode = '25006';
  end if;
  if timeline is not null and left(pg_walfile_name(pg_current_wal_lsn()), 8) <> lpad(upper(to_hex(timeline)), 8, '0') then
    raise exception 'this server is of another timeline' using errcode = '25006';
  end if;
end
$function$
;
grant execute on function pie_private.check_primary(integer) to cream;
grant execute on function pie_private.check_primary(integer) to pie_auth;
comment on function pie_private.check_primary(integer) is 'Raises 25006 where nothing can be changed: on a standby, or under default_transaction_read_only; or on another timeline than the one that is given.';

CREATE OR REPLACE FUNCTION pie_private.check_session(session_id uuid, proof bytea)
 RETURNS TABLE(user_id uuid, database_role text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER ROWS 1
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  if pg_is_in_recovery() then
    raise exception 'this server is a standby, and decides nothing' using errcode = '25006';
  end if;
  return query
    select sessions.user_id,
           case when exists (
             select from pie_schema.user_roles
             where user_roles.user_id = sessions.user_id and user_roles.role = 'admin'
           ) then 'webadmin' else 'webuser' end
    from pie_private.sessions
    where sessions.id = check_session.session_id
      and sessions.proof_hash = sha256(check_session.proof)
      and sessions.revoked_at is null
      and sessions.expires_at > now();
  if not found then
    raise exception 'the session is not valid' using errcode = '28000';
  end if;
end
$function$
;
grant execute on function pie_private.check_session(uuid,bytea) to cream;
comment on function pie_private.check_session(uuid,bytea) is 'Says whom a session acts as and which database role it works as, or raises 28000.';

CREATE OR REPLACE FUNCTION pie_private.clear_empty_throttles()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  delete from pie_private.throttles
  where throttles.key in (
    select stale.key from pie_private.throttles as stale
    where stale.empty_at < now() - interval '1 minute'
    order by stale.empty_at
    limit 4
    for update skip locked
  );
end
$function$
;
comment on function pie_private.clear_empty_throttles() is 'Nothing calls it any more: delete_empty_throttles does its work.';

CREATE OR REPLACE FUNCTION pie_private.complete_password_change(session_id uuid, proofs bytea[], verified_hash text, new_hash text, new_session_id uuid, new_proof_hash bytea, lifetime interval, absolute_lifetime interval, address inet, user_agent text)
 RETURNS TABLE(started_at timestamp with time zone, expires_at timestamp with time zone, absolute_expires_at timestamp with time zone, "user" json, ended uuid[])
 LANGUAGE plpgsql
 SECURITY DEFINER ROWS 1
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
  asking pie_private.sessions;
  ended_ids uuid[];
begin
  select sessions.* into asking from pie_private.sessions
  where sessions.id = session_id
    and sessions.proof_hash = any (array(select sha256(proof) from unnest(proofs) as given (proof)))
    and sessions.revoked_at is null
    and sessions.expires_at > now();
  if not found then
    return;
  end if;

  -- The user first, then all that is theirs: in the order in which signing in, renewing, disabling and
  -- deleting lock them.
  perform from pie_schema.users where users.id = asking.user_id for no key update;
  -- Before the sessions: a sign-in with the old password holds the user until its session is there.
  update pie_private.passwords set hash = new_hash, changed_at = now()
  where passwords.user_id = asking.user_id and passwords.hash = verified_hash;
  if not found then
    return;
  end if;

  with ended as (
    update pie_private.sessions set revoked_at = now(), revoked_reason = 'password_changed'
    where sessions.user_id = asking.user_id and sessions.revoked_at is null
    returning sessions.id
  )
  select array_agg(ended.id) into ended_ids from ended;
  -- Ended meanwhile: then whoever asks is signed in no longer. (Null when nothing was left to end.)
  if (session_id = any (ended_ids)) is not true then
    raise exception 'the session is not valid' using errcode = '28000';
  end if;

  perform pie_private.record_event('password.changed', asking.user_id, session_id, address);
  delete from pie_private.throttles where throttles.key = 'password-change:' || asking.user_id;
  return query
    select started.started_at, started.expires_at, started.absolute_expires_at, started."user", ended_ids
    from pie_private.start_session(
      asking.user_id, new_session_id, asking.kind, new_proof_hash, asking.methods, lifetime, absolute_lifetime,
      address, user_agent
    ) as started;
end
$function$
;
grant execute on function pie_private.complete_password_change(uuid,bytea[],text,text,uuid,bytea,interval,interval,inet,text) to pie_auth;
comment on function pie_private.complete_password_change(uuid,bytea[],text,text,uuid,bytea,interval,interval,inet,text) is 'Sets a new password, ends every session of the user and starts a new one for whoever asked.';

CREATE OR REPLACE FUNCTION pie_private.complete_password_sign_in(user_id uuid, email text, verified_hash text, session_id uuid, kind text, proof_hash bytea, lifetime interval, absolute_lifetime interval, address inet, user_agent text)
 RETURNS TABLE(started_at timestamp with time zone, expires_at timestamp with time zone, absolute_expires_at timestamp with time zone, "user" json)
 LANGUAGE plpgsql
 SECURITY DEFINER ROWS 1
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  network text := pie_private.network_of(address);
  account text := encode(sha256(convert_to(email, 'utf8')), 'hex');
  is_known boolean := pie_private.is_known_network(user_id, network);
begin
  -- The user first, as by whoever changes the password, disables or deletes.
  perform from pie_schema.users where users.id = complete_password_sign_in.user_id for share;
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
$function$
;
grant execute on function pie_private.complete_password_sign_in(uuid,text,text,uuid,text,bytea,interval,interval,inet,text) to pie_auth;
comment on function pie_private.complete_password_sign_in(uuid,text,text,uuid,text,bytea,interval,interval,inet,text) is 'Starts the session of somebody whose password was right; no row if it no longer is.';

CREATE OR REPLACE FUNCTION pie_private.create_permission(name text, description text)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  insert into pie_schema.permissions (name, description) values (create_permission.name, create_permission.description)
  on conflict on constraint permissions_pkey do nothing;
  if not found then
    return false;
  end if;
  perform pie_private.record_event('permission.created', null, null, null,
    jsonb_build_object('permission', create_permission.name));
  return true;
end
$function$
;
comment on function pie_private.create_permission(text,text) is 'Makes a permission; false when it is there already. For the owner alone.';

CREATE OR REPLACE FUNCTION pie_private.create_role(name text, description text)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  insert into pie_schema.roles (name, description) values (create_role.name, create_role.description)
  on conflict on constraint roles_pkey do nothing;
  if not found then
    return false;
  end if;
  perform pie_private.record_event('role.created', null, null, null, jsonb_build_object('role', create_role.name));
  return true;
end
$function$
;
comment on function pie_private.create_role(text,text) is 'Makes a role of the application; false when it is there already. For the owner alone.';

CREATE OR REPLACE FUNCTION pie_private.current_session()
 RETURNS TABLE(session_id uuid, user_id uuid, scopes text[])
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER ROWS 1
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return query
    select sessions.id, sessions.user_id, sessions.scopes
    from pie_private.sessions
    where sessions.id = nullif(current_setting('pie.session_id', true), '')::uuid
      and sessions.proof_hash = sha256(decode(current_setting('pie.session_proof', true), 'hex'))
      and sessions.revoked_at is null
      and sessions.expires_at > now();
end
$function$
;
comment on function pie_private.current_session() is 'The session that this transaction has proven, or no row.';

CREATE OR REPLACE FUNCTION pie_private.delete_empty_throttles(most integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  deleted integer;
begin
  perform set_config('synchronous_commit', 'off', true);
  delete from pie_private.throttles
  where throttles.key = any (array(
    select stale.key from pie_private.throttles as stale
    where stale.empty_at < now() - interval '1 hour'
    order by stale.empty_at
    limit most
    for update skip locked
  ));
  get diagnostics deleted = row_count;
  return deleted;
end
$function$
;
grant execute on function pie_private.delete_empty_throttles(integer) to pie_auth;
comment on function pie_private.delete_empty_throttles(integer) is 'Deletes buckets that ran empty an hour ago, so many at most; returns how many.';

CREATE OR REPLACE FUNCTION pie_private.delete_ended_sessions(most integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
AS $function$
declare
  ended uuid[];
  lines uuid[];
  deleted integer;
begin
  -- A crash that forgets the last of these has them deleted again.
  perform set_config('synchronous_commit', 'off', true);

  -- `case`, because only it says what is looked at first.
  ended := array(
    select sessions.id from pie_private.sessions
    where sessions.revoked_at < now() - interval '7 days'
      and case
        when sessions.successor_id is not null and not pie_private.goes_by_itself(sessions.successor_id) then false
        when (select earlier.id from pie_private.sessions as earlier where earlier.successor_id = sessions.id) is null then true
        else pie_private.lock_renewed(sessions.id)
      end
    order by sessions.revoked_at
    limit most
    for update of sessions skip locked
  );
  if cardinality(ended) < most then
    ended := ended || array(
      select sessions.id from pie_private.sessions
      where sessions.revoked_at is null and sessions.absolute_expires_at < now() - interval '7 days'
        and case
          when sessions.successor_id is not null and not pie_private.goes_by_itself(sessions.successor_id) then false
          when (select earlier.id from pie_private.sessions as earlier where earlier.successor_id = sessions.id) is null then true
          else pie_private.lock_renewed(sessions.id)
        end
      order by sessions.absolute_expires_at
      limit most - cardinality(ended)
      for update of sessions skip locked
    );
  end if;
  if cardinality(ended) = 0 then
    return 0;
  end if;

  lines := array(
    with recursive line as (
      select unnest(ended) as id
      union
      select earlier.id
      from line
      cross join lateral (
        select sessions.id from pie_private.sessions where sessions.successor_id = line.id offset 0
      ) as earlier
    )
    select line.id from line
  );

  with recursive whole as (
    select sessions.id, sessions.successor_id from pie_private.sessions
    where sessions.id = any (lines)
      and (select earlier.id from pie_private.sessions as earlier where earlier.successor_id = sessions.id) is null
    union all
    select next.id, next.successor_id
    from whole
    cross join lateral (
      select sessions.id, sessions.successor_id from pie_private.sessions where sessions.id = whole.successor_id offset 0
    ) as next
    where next.id = any (lines)
  )
  delete from pie_private.sessions where sessions.id = any (array(select whole.id from whole limit most));
  get diagnostics deleted = row_count;
  return deleted;
end
$function$
;
grant execute on function pie_private.delete_ended_sessions(integer) to pie_auth;
comment on function pie_private.delete_ended_sessions(integer) is 'Deletes sessions that ended seven days ago, so many at most; returns how many.';

CREATE OR REPLACE FUNCTION pie_private.delete_forgotten_networks(most integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  deleted integer;
begin
  perform set_config('synchronous_commit', 'off', true);
  delete from pie_private.known_networks as known
  using (
    select stale.user_id, stale.network from pie_private.known_networks as stale
    where stale.last_seen_at < now() - interval '90 days'
    order by stale.last_seen_at
    limit most
    for update skip locked
  ) as forgotten
  where known.user_id = forgotten.user_id and known.network = forgotten.network;
  get diagnostics deleted = row_count;
  return deleted;
end
$function$
;
grant execute on function pie_private.delete_forgotten_networks(integer) to pie_auth;
comment on function pie_private.delete_forgotten_networks(integer) is 'Deletes known networks that were not seen for 90 days, so many at most; returns how many.';

CREATE OR REPLACE FUNCTION pie_private.delete_used_csrf_tokens(most integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  deleted integer;
begin
  perform set_config('synchronous_commit', 'off', true);
  delete from pie_private.used_csrf_tokens as used
  where used.token_hash = any (array(
    select stale.token_hash from pie_private.used_csrf_tokens as stale
    where stale.expires_at < now() - interval '1 hour'
    order by stale.expires_at
    limit most
    for update skip locked
  ));
  get diagnostics deleted = row_count;
  return deleted;
end
$function$
;
grant execute on function pie_private.delete_used_csrf_tokens(integer) to pie_auth;
comment on function pie_private.delete_used_csrf_tokens(integer) is 'Deletes used CSRF tokens that expired an hour ago, so many at most; returns how many.';

CREATE OR REPLACE FUNCTION pie_private.delete_user(email text)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  found_id uuid := (select user_emails.user_id from pie_schema.user_emails where user_emails.email = delete_user.email);
begin
  delete from pie_schema.users where users.id = found_id;
  if found then
    perform pie_private.record_event('user.deleted', found_id, null, null);
  end if;
  return found_id is not null;
end
$function$
;
comment on function pie_private.delete_user(text) is 'Deletes the user of an address; false when there is none. For the owner alone.';

CREATE OR REPLACE FUNCTION pie_private.disable_user(email text)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  found_id uuid := (select user_emails.user_id from pie_schema.user_emails where user_emails.email = disable_user.email);
begin
  update pie_schema.users set disabled_at = now() where users.id = found_id and users.disabled_at is null;
  if found then
    perform pie_private.record_event('user.disabled', found_id, null, null);
  end if;
  return found_id is not null;
end
$function$
;
comment on function pie_private.disable_user(text) is 'Disables the user of an address; false when there is none. For the owner alone.';

CREATE OR REPLACE FUNCTION pie_private.drop_audit_months(retention interval)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "DateStyle" TO 'ISO'
 SET "TimeZone" TO 'UTC'
 SET lock_timeout TO '100ms'
AS $function$
declare
  kept_from timestamptz := now() - least(greatest(retention, interval '30 days'), interval '1000 years');
  part record;
  is_over boolean;
  dropped text[] := '{}';
begin
  for part in select * from pie_private.list_audit_partitions() as list order by list.starts_at loop
    is_over := part.ends_at <= kept_from;
    if part.is_default then
      execute format('select max(happened_at) < %L from pie_private.%I', kept_from, part.name) into is_over;
    end if;
    continue when is_over is not true;
    lock table only pie_private.audit_log in access exclusive mode;
    if part.is_default then
      execute format('select max(happened_at) < %L from pie_private.%I', kept_from, part.name) into is_over;
      continue when is_over is not true;
    end if;
    execute format('drop table pie_private.%I', part.name);
    if part.is_default then
      perform pie_private.make_audit_partition(part.name, 'default');
    end if;
    dropped := dropped || part.name;
  end loop;
  if cardinality(dropped) > 0 then
    perform pie_private.record_event('audit.dropped', null, null, null,
      jsonb_build_object('partitions', dropped, 'older_than', kept_from));
  end if;
  return cardinality(dropped);
exception when lock_not_available or undefined_table then
  return 0;
end
$function$
;
grant execute on function pie_private.drop_audit_months(interval) to pie_auth;
comment on function pie_private.drop_audit_months(interval) is 'Drops the partitions that are wholly older than the retention, and than 30 days; returns how many.';

CREATE OR REPLACE FUNCTION pie_private.enable_user(email text)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  found_id uuid := (select user_emails.user_id from pie_schema.user_emails where user_emails.email = enable_user.email);
begin
  update pie_schema.users set disabled_at = null where users.id = found_id and users.disabled_at is not null;
  if found then
    perform pie_private.record_event('user.enabled', found_id, null, null);
  end if;
  return found_id is not null;
end
$function$
;
comment on function pie_private.enable_user(text) is 'Lets the user of an address sign in again; false when there is none. For the owner alone.';

CREATE OR REPLACE FUNCTION pie_private.end_holders(patience interval, waiter integer DEFAULT NULL::integer)
 RETURNS TABLE(pid integer, login name, has_ended boolean)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
  holder record;
  patient integer[] := '{}';
  ended integer[] := '{}';
  refused integer[] := '{}';
  is_any boolean;
begin
  -- Nearly always nobody does.
  if not exists (
    select from pg_locks where not pg_locks.granted and pg_locks.waitstart < clock_timestamp() - patience
  ) then
    return;
  end if;
  for round in 1..100 loop
    is_any := false;
    for holder in
      with recursive locks as materialized (select * from pg_locks),
      others as materialized (
        select pg_stat_activity.pid, pg_stat_activity.usename, pie_private.is_request_login(pg_stat_activity.usename) as is_request
        from pg_stat_activity
        where pg_stat_activity.usename is not null
      ),
      waiting as (
        select waiting.pid
        from locks as waiting
        join others on others.pid = waiting.pid and not others.is_request
        where not waiting.granted
          and (waiting.pid = any (patient) or waiting.waitstart < clock_timestamp() - patience)
          and (
            waiting.pid = waiter
            or waiting.locktype in ('tuple', 'transactionid') and exists (
              select from locks as row_lock
              join pg_class on pg_class.oid = row_lock.relation
              join pg_namespace on pg_namespace.oid = pg_class.relnamespace
              where row_lock.pid = waiting.pid and row_lock.locktype = 'tuple'
                and row_lock.database = (select pg_database.oid from pg_database where pg_database.datname = current_database())
                and pg_namespace.nspname in ('pie_schema', 'pie_private')
            )
          )
      ),
      chain (pid) as (
        select waiting.pid from waiting
        union
        select blocking.pid from chain, unnest(pg_blocking_pids(chain.pid)) as blocking (pid)
      ),
      found as (
        select others.pid, others.usename,
               exists (select from locks where locks.pid = others.pid and not locks.granted) as is_waiting
        from chain
        join others on others.pid = chain.pid and others.is_request
        where others.pid <> all (refused)
      )
      select found.pid, found.usename, (select array_agg(waiting.pid) from waiting) as waiters
      from found
      where round > 1 or found.is_waiting or not exists (select from found where found.is_waiting)
    loop
      patient := holder.waiters;
      has_ended := false;
      begin
        has_ended := pg_terminate_backend(holder.pid);
      exception when insufficient_privilege then null;
      end;
      if not has_ended then
        refused := refused || holder.pid;
      end if;
      is_any := is_any or has_ended;
      if holder.pid <> all (ended) then
        ended := ended || holder.pid;
        pid := holder.pid;
        login := holder.usename;
        return next;
      end if;
    end loop;
    exit when not is_any;
    -- Until they have gone, and whoever waits has got on.
    for pause in 1..50 loop
      perform pg_sleep(0.01), pg_stat_clear_snapshot();
      exit when not exists (select from pg_stat_activity where pg_stat_activity.pid = any (ended) and pg_stat_activity.pid <> all (refused));
    end loop;
  end loop;
end
$function$
;
grant execute on function pie_private.end_holders(interval,integer) to pie_auth;
comment on function pie_private.end_holders(interval,integer) is 'Ends the requests that keep somebody waiting for that long at a row of Pie''s, and returns them.';

CREATE OR REPLACE FUNCTION pie_private.end_line_of_session(session_id uuid, reason text, address inet)
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  -- In a statement of its own: whoever is renewing the session has been waited for, and the next sees it.
  perform from pie_schema.users
  where users.id = (select sessions.user_id from pie_private.sessions where sessions.id = end_line_of_session.session_id)
  for no key update;

  return query
    with recursive line as (
      select sessions.id, sessions.successor_id from pie_private.sessions
      where sessions.id = end_line_of_session.session_id
      union
      select next.id, next.successor_id from line join pie_private.sessions as next on next.id = line.successor_id
    ), ended as (
      update pie_private.sessions
      set revoked_at = now(), revoked_reason = end_line_of_session.reason
      where sessions.id in (select line.id from line) and sessions.revoked_at is null
      returning sessions.id, sessions.user_id
    ), new_event as (
      insert into pie_private.audit_log (event, user_id, session_id, address, detail)
      select 'session.ended', ended.user_id, ended.id, end_line_of_session.address,
             jsonb_build_object('reason', end_line_of_session.reason)
      from ended
    )
    select ended.id from ended;
end
$function$
;
comment on function pie_private.end_line_of_session(uuid,text,inet) is 'Ends a session and its successors; returns which.';

CREATE OR REPLACE FUNCTION pie_private.end_other_sessions_of_holder(session_id uuid, proofs bytea[], renew_window interval)
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return query
    select * from pie_private.end_sessions_but(pie_private.user_of_session(session_id, proofs), session_id, renew_window);
end
$function$
;
grant execute on function pie_private.end_other_sessions_of_holder(uuid,bytea[],interval) to pie_auth;
comment on function pie_private.end_other_sessions_of_holder(uuid,bytea[],interval) is 'end_my_other_sessions for whoever proves a session, or raises 28000.';

CREATE OR REPLACE FUNCTION pie_private.end_requests(time_limit interval, given_up text[])
 RETURNS TABLE(pid integer, login name, reason text, has_ended boolean)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
declare
  found record;
  logins oid[];
  room bigint := current_setting('max_locks_per_transaction')::bigint
    * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint);
  excess bigint;
begin
  begin
    logins := array(
      select pg_roles.oid from pg_roles
      where pg_roles.oid in (select pg_auth_members.member from pg_auth_members where pg_auth_members.roleid = 'webadmin'::regrole)
        and pie_private.is_request_login(pg_roles.rolname)
    );
    perform set_config('pie.request_logins', logins::text, false);
    perform pg_get_userbyid(known.id), pg_has_role(known.id, 'usage') from unnest(logins) as known (id);
  exception when out_of_memory then
    logins := coalesce(nullif(current_setting('pie.request_logins', true), ''), '{}')::oid[];
  end;
  excess := (select count(*) from pg_locks where not pg_locks.fastpath) - room / 2;
  for found in
    with activity as (
      select activity.*
      from pg_stat_get_activity(null) as activity
      where activity.usesysid = any (logins)
        and activity.datid = (select own.datid from pg_stat_get_activity(pg_backend_pid()) as own)
    ), holding as (
      select activity.pid, count(*) as locks, sum(count(*)) over (order by count(*), activity.pid) as running
      from activity join pg_locks on pg_locks.pid = activity.pid
      where excess > 0 and not pg_locks.fastpath
      group by activity.pid
    )
    select activity.pid, activity.usesysid,
           case
             when holding.pid is not null then 'locks'
             when concat(activity.pid, ' ', extract(epoch from activity.backend_start)) = any (given_up) then 'given up'
             else 'time'
           end as reason
    from activity left join holding on holding.pid = activity.pid and holding.running > room / 2
    where holding.pid is not null
      or concat(activity.pid, ' ', extract(epoch from activity.backend_start)) = any (given_up)
      or activity.state in ('active', 'fastpath function call') and activity.query_start < clock_timestamp() - time_limit
      or activity.state ^@ 'idle in transaction' and activity.state_change < clock_timestamp() - time_limit
  loop
    has_ended := false;
    begin
      has_ended := pg_terminate_backend(found.pid);
    exception when insufficient_privilege then null;
    end;
    pid := found.pid;
    login := pg_get_userbyid(found.usesysid);
    reason := found.reason;
    return next;
  end loop;
end
$function$
;
grant execute on function pie_private.end_requests(interval,text[]) to pie_auth;
comment on function pie_private.end_requests(interval,text[]) is 'Ends the requests that went on for too long, were given up, or hold most of the locks, and returns them.';

CREATE OR REPLACE FUNCTION pie_private.end_session(session_id uuid, proofs bytea[], reason text, address inet)
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return query
    select ended.id
    from pie_private.sessions,
         lateral pie_private.end_line_of_session(sessions.id, end_session.reason, end_session.address) as ended (id)
    where sessions.id = end_session.session_id
      and sessions.proof_hash = any (array(select sha256(proof) from unnest(end_session.proofs) as given (proof)));
end
$function$
;
grant execute on function pie_private.end_session(uuid,bytea[],text,inet) to pie_auth;
comment on function pie_private.end_session(uuid,bytea[],text,inet) is 'Ends a session that its holder proves, with its successors, and returns which; idempotent.';

CREATE OR REPLACE FUNCTION pie_private.end_session_of(user_id uuid, session_id uuid)
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return query
    select ended.id
    from pie_private.sessions,
         lateral pie_private.end_line_of_session(sessions.id, 'ended_by_user', null) as ended (id)
    where sessions.id = end_session_of.session_id
      and sessions.user_id = end_session_of.user_id;
end
$function$
;
comment on function pie_private.end_session_of(uuid,uuid) is 'Ends one of a user''s sessions with its successors, as they wish, and returns their ids.';

CREATE OR REPLACE FUNCTION pie_private.end_session_of_holder(session_id uuid, proofs bytea[], ended_id uuid)
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return query select * from pie_private.end_session_of(pie_private.user_of_session(session_id, proofs), ended_id);
end
$function$
;
grant execute on function pie_private.end_session_of_holder(uuid,bytea[],uuid) to pie_auth;
comment on function pie_private.end_session_of_holder(uuid,bytea[],uuid) is 'end_my_session for whoever proves a session, or raises 28000.';

CREATE OR REPLACE FUNCTION pie_private.end_sessions_but(user_id uuid, session_id uuid, renew_window interval)
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  perform from pie_schema.users where users.id = end_sessions_but.user_id for no key update;

  -- Of two devices that sign each other out, the second has been waiting here, and is signed out by now.
  return query
    with ended as (
      update pie_private.sessions set revoked_at = now(), revoked_reason = 'ended_by_user'
      where sessions.user_id = end_sessions_but.user_id
        and sessions.id <> end_sessions_but.session_id
        and exists (
          select from pie_private.sessions as own
          where own.id = end_sessions_but.session_id and own.revoked_at is null and own.expires_at > now()
        )
        and sessions.revoked_at is null
      returning sessions.*
    ), new_event as (
      insert into pie_private.audit_log (event, user_id, session_id, detail)
      select 'session.ended', ended.user_id, ended.id, '{"reason": "ended_by_user"}' from ended
    )
    select ended.id from ended
    where ended.successor_id is null
      and ended.absolute_expires_at > now()
      and (
        ended.expires_at > now()
        or ended.kind = 'browser' and (renew_window is null or ended.expires_at > now() - renew_window)
      );
end
$function$
;
comment on function pie_private.end_sessions_but(uuid,uuid,interval) is 'Ends all of a user''s sessions but one, as they wish, and returns the ids of those that my_sessions lists.';

CREATE OR REPLACE FUNCTION pie_private.end_sessions_of_disabled_user()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  update pie_private.sessions
  set revoked_at = now(), revoked_reason = 'user_disabled'
  where user_id = new.id and revoked_at is null;
  return null;
end
$function$
;
comment on function pie_private.end_sessions_of_disabled_user() is 'Trigger: disabling a user ends their sessions in the same transaction.';

CREATE OR REPLACE FUNCTION pie_private.estimate_live_sessions()
 RETURNS bigint
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  pages bigint := pg_relation_size('pie_private.sessions') / current_setting('block_size')::bigint;
  share double precision := least(100, 100 * 1000.0 / greatest(pages, 1));
begin
  return (
    select round(count(*) * 100 / share) from pie_private.sessions tablesample system (share) repeatable (0)
    where sessions.revoked_at is null and sessions.expires_at > now()
  );
end
$function$
;
grant execute on function pie_private.estimate_live_sessions() to pie_auth;
comment on function pie_private.estimate_live_sessions() is 'How many sessions may act now: counted, or estimated from a thousand pages of them.';

CREATE OR REPLACE FUNCTION pie_private.fail_password_sign_in(user_id uuid, address inet)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  insert into pie_private.audit_log (event, user_id, address, detail)
  values ('sign_in.failed', fail_password_sign_in.user_id, fail_password_sign_in.address, '{"method": "pwd"}');
end
$function$
;
grant execute on function pie_private.fail_password_sign_in(uuid,inet) to pie_auth;
comment on function pie_private.fail_password_sign_in(uuid,inet) is 'Records a failed attempt in the audit log.';

CREATE OR REPLACE FUNCTION pie_private.first_of_line(session_id uuid, OUT id uuid, OUT address inet)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  with recursive line as (
    select sessions.id, sessions.address, 0 as renewals_since from pie_private.sessions
    where sessions.id = first_of_line.session_id
    union all
    select earlier.id, earlier.address, line.renewals_since + 1
    from line join pie_private.sessions as earlier on earlier.successor_id = line.id
  )
  select line.id, line.address into id, address from line order by line.renewals_since desc limit 1;
end
$function$
;
comment on function pie_private.first_of_line(uuid) is 'The session that signed in, of those that this one has been renewed from, and from where.';

CREATE OR REPLACE FUNCTION pie_private.forget_node(id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  delete from pie_private.nodes where nodes.id = forget_node.id;
end
$function$
;
grant execute on function pie_private.forget_node(uuid) to pie_auth;
comment on function pie_private.forget_node(uuid) is 'Takes a node off the list that has stopped.';

CREATE OR REPLACE FUNCTION pie_private.goes_by_itself(successor_id uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return coalesce((
    select (next.revoked_at is not null or next.absolute_expires_at <= now())
      and not (
        coalesce(next.revoked_at, next.absolute_expires_at) < now() - interval '7 days'
        and coalesce((
          select after_next.revoked_at is not null or after_next.absolute_expires_at <= now()
          from pie_private.sessions as after_next where after_next.id = next.successor_id
        ), true)
      )
    from pie_private.sessions as next where next.id = goes_by_itself.successor_id
  ), true);
end
$function$
;
comment on function pie_private.goes_by_itself(uuid) is 'Whether what ended goes although it was renewed: by its successor, which may not act and stays for now.';

CREATE OR REPLACE FUNCTION pie_private.grant_permission(permission text, role text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  insert into pie_schema.role_permissions (role, permission)
  values (grant_permission.role, grant_permission.permission)
  on conflict on constraint role_permissions_pkey do nothing;
  if found then
    perform pie_private.record_event('permission.granted', null, null, null,
      jsonb_build_object('permission', grant_permission.permission, 'role', grant_permission.role));
  end if;
end
$function$
;
comment on function pie_private.grant_permission(text,text) is 'Gives a role a permission. For the owner alone.';

CREATE OR REPLACE FUNCTION pie_private.grant_role(email text, role text)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  found_id uuid := (select user_emails.user_id from pie_schema.user_emails where user_emails.email = grant_role.email);
begin
  if found_id is null then
    return false;
  end if;
  perform from pie_schema.users where users.id = found_id for no key update;
  insert into pie_schema.user_roles (user_id, role) values (found_id, grant_role.role)
  on conflict on constraint user_roles_pkey do nothing;
  if found then
    perform pie_private.record_event('role.granted', found_id, null, null, jsonb_build_object('role', grant_role.role));
  end if;
  return true;
end
$function$
;
comment on function pie_private.grant_role(text,text) is 'Gives the user of an address a role; false when there is no such user. For the owner alone.';

CREATE OR REPLACE FUNCTION pie_private.hold_profile()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  if tg_op = 'INSERT' and exists (select from pie_schema.profiles where profiles.user_id = new.user_id) then
    return null;
  end if;
  new.display_name := (select users.name from pie_schema.users where users.id = new.user_id);
  return new;
end
$function$
;
comment on function pie_private.hold_profile() is 'Trigger: a profile says what its user is called, and nothing else.';

CREATE OR REPLACE FUNCTION pie_private.is_known_network(user_id uuid, network text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return exists (
    select from pie_private.known_networks as known
    where known.user_id = is_known_network.user_id
      and known.network = is_known_network.network
      and known.last_seen_at > now() - interval '90 days'
  );
end
$function$
;
comment on function pie_private.is_known_network(uuid,text) is 'Whether a user has signed in from a network in the last 90 days.';

CREATE OR REPLACE FUNCTION pie_private.is_request_login(name name)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return exists (
    select from pg_roles
    where pg_roles.rolname = is_request_login.name
      and pg_roles.rolcanlogin and not pg_roles.rolinherit and not pg_roles.rolsuper and not pg_roles.rolcreaterole
      and pg_roles.oid <> (select pg_class.relowner from pg_class where pg_class.oid = 'pie_private.migrations'::regclass)
      and exists (
        select from pg_auth_members
        where pg_auth_members.member = pg_roles.oid and pg_auth_members.roleid = 'webadmin'::regrole
      )
  );
end
$function$
;
comment on function pie_private.is_request_login(name) is 'Whether requests connect as this role.';

CREATE OR REPLACE FUNCTION pie_private.is_user(email text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  select exists (select from pie_schema.user_emails where user_emails.email = is_user.email)
$function$
;
comment on function pie_private.is_user(text) is 'Whether an address is a user''s. For the owner alone.';

CREATE OR REPLACE FUNCTION pie_private.keep_network_known(user_id uuid, address inet)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
;
comment on function pie_private.keep_network_known(uuid,inet) is 'Writes down, once a day, that a session is in use that was started from an address.';

CREATE OR REPLACE FUNCTION pie_private.keep_profile()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  if tg_op = 'UPDATE' and new.name is not distinct from old.name then
    return null;
  end if;
  update pie_schema.profiles set display_name = new.name where profiles.user_id = new.id;
  if not found then
    insert into pie_schema.profiles (user_id, display_name) values (new.id, new.name);
  end if;
  return null;
end
$function$
;
comment on function pie_private.keep_profile() is 'Trigger: every user has a profile, with the same name.';

CREATE OR REPLACE FUNCTION pie_private.list_audit_partitions()
 RETURNS TABLE(name text, starts_at timestamp with time zone, ends_at timestamp with time zone, is_default boolean)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "DateStyle" TO 'ISO'
 SET "TimeZone" TO 'UTC'
AS $function$
begin
  return query
    select
      pg_class.relname::text,
      coalesce(substring(bound.text from '^FOR VALUES FROM \(''([^'']+)''\)'), '-infinity')::timestamptz,
      coalesce(substring(bound.text from ' TO \(''([^'']+)''\)$'), 'infinity')::timestamptz,
      bound.text = 'DEFAULT'
    from pg_inherits
    join pg_class on pg_class.oid = pg_inherits.inhrelid
    cross join lateral (select pg_get_expr(pg_class.relpartbound, pg_class.oid)) as bound (text)
    where pg_inherits.inhparent = 'pie_private.audit_log'::regclass;
end
$function$
;
comment on function pie_private.list_audit_partitions() is 'The partitions of the audit log, and of when they are.';

CREATE OR REPLACE FUNCTION pie_private.list_migrations()
 RETURNS TABLE(name text, checksum text)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return query select migrations.name, migrations.checksum from pie_private.migrations order by migrations.name;
end
$function$
;
grant execute on function pie_private.list_migrations() to pie_auth;
comment on function pie_private.list_migrations() is 'The migrations that this database has had.';

CREATE OR REPLACE FUNCTION pie_private.list_nodes()
 RETURNS TABLE(id uuid, version text, settings jsonb, seen_at timestamp with time zone)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return query
    select nodes.id, nodes.version, nodes.settings, nodes.seen_at
    from pie_private.nodes
    where nodes.seen_at > now() - interval '5 minutes'
    order by nodes.started_at, nodes.id
    limit 100;
end
$function$
;
grant execute on function pie_private.list_nodes() to pie_auth;
comment on function pie_private.list_nodes() is 'The nodes that serve this database now.';

CREATE OR REPLACE FUNCTION pie_private.list_predecessors(session_id uuid, proofs bytea[], retry_window interval)
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  if pg_is_in_recovery() then
    raise exception 'this server is a standby, and decides nothing' using errcode = '25006';
  end if;
  return query with recursive line as (
    select sessions.id, sessions.created_at, sessions.user_id from pie_private.sessions
    where sessions.id = list_predecessors.session_id
      and sessions.kind = 'browser'
      and sessions.proof_hash = any (array(select sha256(proof) from unnest(list_predecessors.proofs) as given (proof)))
      and sessions.revoked_at is null
    union
    select earlier.id, earlier.created_at, earlier.user_id
    from line join pie_private.sessions as earlier on earlier.successor_id = line.id
    where line.created_at > now() - list_predecessors.retry_window
      and earlier.user_id = line.user_id
      and earlier.kind = 'browser'
      and earlier.revoked_at is null
  )
  select line.id from line where line.id <> list_predecessors.session_id;
end
$function$
;
grant execute on function pie_private.list_predecessors(uuid,bytea[],interval) to pie_auth;
comment on function pie_private.list_predecessors(uuid,bytea[],interval) is 'The sessions by whose renewal a browser''s session has just come to be. Its holder proves it.';

CREATE OR REPLACE FUNCTION pie_private.list_sessions(email text, most integer)
 RETURNS TABLE(id uuid, email text, kind text, created_at timestamp with time zone, last_seen_at timestamp with time zone, expires_at timestamp with time zone, address inet, user_agent text)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  select sessions.id, user_emails.email, sessions.kind, sessions.created_at, sessions.last_seen_at,
         sessions.expires_at, sessions.address, sessions.user_agent
  from pie_private.sessions
  left join pie_schema.user_emails on user_emails.user_id = sessions.user_id and user_emails.is_primary
  where sessions.revoked_at is null
    and sessions.successor_id is null
    and sessions.absolute_expires_at > now()
    and (sessions.kind = 'browser' or sessions.expires_at > now())
    and (list_sessions.email is null or sessions.user_id = (
      select named.user_id from pie_schema.user_emails as named where named.email = list_sessions.email
    ))
  order by sessions.last_seen_at desc, sessions.id
  limit most
$function$
;
comment on function pie_private.list_sessions(text,integer) is 'The sessions of a user, or of everybody, the last seen first. For the owner alone.';

CREATE OR REPLACE FUNCTION pie_private.list_signing_keys()
 RETURNS TABLE(kid text, public_jwk jsonb, sealed_private bytea, signs_from timestamp with time zone, verifies_until timestamp with time zone)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return query
    select signing_keys.kid, signing_keys.public_jwk, signing_keys.sealed_private,
           signing_keys.signs_from, signing_keys.verifies_until
    from pie_private.signing_keys
    where signing_keys.verifies_until is null or signing_keys.verifies_until > now()
    order by signing_keys.signs_from desc, signing_keys.kid;
end
$function$
;
grant execute on function pie_private.list_signing_keys() to pie_auth;
comment on function pie_private.list_signing_keys() is 'The keys that tokens may be verified with, the newest first.';

CREATE OR REPLACE FUNCTION pie_private.lock_renewed(session_id uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  line uuid[] := array(
    with recursive line as (
      select sessions.id from pie_private.sessions where sessions.successor_id = session_id
      union all
      select earlier.id
      from line
      cross join lateral (
        select sessions.id from pie_private.sessions where sessions.successor_id = line.id offset 0
      ) as earlier
    )
    select line.id from line
  );
begin
  return cardinality(line) = cardinality(array(
    select sessions.id from pie_private.sessions where sessions.id = any (line) for update skip locked
  ));
end
$function$
;
comment on function pie_private.lock_renewed(uuid) is 'Locks what was renewed by a session, waiting for nobody; returns whether that was all of it.';

CREATE OR REPLACE FUNCTION pie_private.make_audit_months()
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "DateStyle" TO 'ISO'
 SET "TimeZone" TO 'UTC'
 SET lock_timeout TO '1s'
AS $function$
declare
  month timestamp;
  made integer := 0;
begin
  if (
    select count(*) from generate_series(0, 3) as ahead
    where exists (
      select from pie_private.list_audit_partitions() as part
      where not part.is_default
        and date_trunc('month', now()) + make_interval(months => ahead) >= part.starts_at
        and date_trunc('month', now()) + make_interval(months => ahead) < part.ends_at
    )
  ) = 4 then
    return 0;
  end if;
  -- Of several nodes one makes them.
  lock table only pie_private.audit_log in share update exclusive mode;
  if not exists (select from pie_private.list_audit_partitions() as part where part.is_default) then
    perform pie_private.make_audit_partition('audit_log_default', 'default');
  end if;
  for month in
    select date_trunc('month', now() at time zone 'UTC') + make_interval(months => ahead) from generate_series(0, 3) as ahead
  loop
    if exists (
      select from pie_private.list_audit_partitions() as part
      where not part.is_default
        and part.starts_at < (month + interval '1 month') at time zone 'UTC' and part.ends_at > month at time zone 'UTC'
    ) or exists (
      select from pie_private.audit_log_default as line
      where line.happened_at >= month at time zone 'UTC' and line.happened_at < (month + interval '1 month') at time zone 'UTC'
    ) then
      continue;
    end if;
    begin
      perform pie_private.make_audit_partition(
        'audit_log_' || to_char(month, 'YYYY_MM'),
        format('for values from (%L) to (%L)', to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
          to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00')
      );
      made := made + 1;
    exception when check_violation or duplicate_table then
      null;
    end;
  end loop;
  return made;
exception when lock_not_available then
  return 0;
end
$function$
;
grant execute on function pie_private.make_audit_months() to pie_auth;
comment on function pie_private.make_audit_months() is 'Makes the partitions of this month and the next three, where they are not there; returns how many.';

CREATE OR REPLACE FUNCTION pie_private.make_audit_partition(name text, bounds text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  execute format('create table pie_private.%I (like pie_private.audit_log including all excluding identity excluding indexes, primary key (id))', name);
  execute format('alter table pie_private.%I enable row level security, force row level security', name);
  execute format('create policy audit_log_read_by_owner on pie_private.%I for select to current_user using (true)', name);
  execute format('create policy audit_log_add_by_owner on pie_private.%I for insert to current_user with check (true)', name);
  execute format('create trigger audit_log_is_append_only before update or delete or truncate on pie_private.%I for each statement execute function pie_private.refuse_change()', name);
  execute format('alter table pie_private.%I enable always trigger audit_log_is_append_only', name);
  execute format('comment on table pie_private.%I is %L', name, 'Lines of the audit log: a partition of it.');
  execute format('alter table pie_private.audit_log attach partition pie_private.%I %s', name, bounds);
end
$function$
;
comment on function pie_private.make_audit_partition(text,text) is 'Makes a partition of the audit log, of a name and with bounds.';

CREATE OR REPLACE FUNCTION pie_private.network_of(address inet)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  plain inet := case
    when address <<= inet '::ffff:0:0/96' then inet '0.0.0.0' + (set_masklen(address, 128) - inet '::ffff:0:0')
    when address <<= inet '::ffff:0:0:0/96' then inet '0.0.0.0' + (set_masklen(address, 128) - inet '::ffff:0:0:0')
    when address <<= inet '64:ff9b::/96' then inet '0.0.0.0' + (set_masklen(address, 128) - inet '64:ff9b::')
    else address
  end;
begin
  return network(set_masklen(plain, case family(plain) when 6 then 64 else 32 end))::text;
end
$function$
;
comment on function pie_private.network_of(inet) is 'The network that an address is counted by: IPv4 by itself, also inside IPv6, and IPv6 by its /64.';

CREATE OR REPLACE FUNCTION pie_private.read_me(session_id uuid, proof bytea)
 RETURNS json
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  my_id uuid;
begin
  if pg_is_in_recovery() then
    raise exception 'this server is a standby, and decides nothing' using errcode = '25006';
  end if;
  perform set_config('pie.session_id', session_id::text, true),
          set_config('pie.session_proof', encode(proof, 'hex'), true),
          set_config('role', 'webuser', true);
  my_id := pie_schema.current_user_id();
  return (select description from pie_schema.user_descriptions where id = my_id);
end
$function$
;
grant execute on function pie_private.read_me(uuid,bytea) to cream;
comment on function pie_private.read_me(uuid,bytea) is 'The user of a session, read under row-level security; null for a session that may not act.';

CREATE OR REPLACE FUNCTION pie_private.read_session(session_id uuid, proof bytea)
 RETURNS json
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  if pg_is_in_recovery() then
    raise exception 'this server is a standby, and decides nothing' using errcode = '25006';
  end if;
  return (
    select session_descriptions.description from pie_private.session_descriptions
    where session_descriptions.id = session_id
      and session_descriptions.proof_hash = sha256(proof)
      and session_descriptions.is_usable
  );
end
$function$
;
grant execute on function pie_private.read_session(uuid,bytea) to cream;
comment on function pie_private.read_session(uuid,bytea) is 'A session that its holder proves, with its user, as nodes cache it; null for one that has ended for good.';

CREATE OR REPLACE FUNCTION pie_private.record_event(event text, user_id uuid, session_id uuid, address inet, detail jsonb DEFAULT '{}'::jsonb)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  insert into pie_private.audit_log (event, user_id, session_id, address, detail)
  values (record_event.event, record_event.user_id, record_event.session_id, record_event.address, record_event.detail);
end
$function$
;
comment on function pie_private.record_event(text,uuid,uuid,inet,jsonb) is 'Adds a line to the audit log.';

CREATE OR REPLACE FUNCTION pie_private.refresh_session(session_id uuid, proofs bytea[], generation integer, lifetime interval, retry_window interval, address inet, OUT outcome text, OUT current_generation integer, OUT refreshed_at timestamp with time zone, OUT expires_at timestamp with time zone, OUT "user" json)
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
;
grant execute on function pie_private.refresh_session(uuid,bytea[],integer,interval,interval,inet) to pie_auth;
comment on function pie_private.refresh_session(uuid,bytea[],integer,interval,interval,inet) is 'Rotates a session''s refresh token, repeats the last rotation, or ends a session whose token was stolen.';

CREATE OR REPLACE FUNCTION pie_private.refund_attempt(key text, drain interval)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  update pie_private.throttles set empty_at = throttles.empty_at - drain
  where throttles.key = refund_attempt.key;
end
$function$
;
comment on function pie_private.refund_attempt(text,interval) is 'Takes one attempt back.';

CREATE OR REPLACE FUNCTION pie_private.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  raise exception 'the audit log is only ever added to'
    using errcode = '42501', hint = 'To keep less of it, set AUDIT_RETENTION: then months that are older are dropped whole.';
end
$function$
;
comment on function pie_private.refuse_change() is 'Trigger: refuses to change or delete a line of the audit log.';

CREATE OR REPLACE FUNCTION pie_private.register_user(user_id uuid, email text, name text, password_hash text, address inet)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  registered_id uuid;
begin
  with new_email as (
    insert into pie_schema.user_emails (user_id, email, is_primary)
    values (register_user.user_id, register_user.email, true)
    on conflict on constraint user_emails_email_key do nothing
    returning user_emails.user_id
  ), new_user as (
    insert into pie_schema.users (id, name)
    select new_email.user_id, register_user.name from new_email
    returning users.id
  ), new_role as (
    insert into pie_schema.user_roles (user_id, role)
    select new_user.id, 'viewer' from new_user
  ), new_password as (
    insert into pie_private.passwords (user_id, hash)
    select new_user.id, register_user.password_hash from new_user
    where register_user.password_hash is not null
  ), new_event as (
    insert into pie_private.audit_log (event, user_id, address)
    select 'user.registered', new_user.id, register_user.address from new_user
  )
  select new_user.id into registered_id from new_user;
  return registered_id;
end
$function$
;
grant execute on function pie_private.register_user(uuid,text,text,text,inet) to pie_auth;
comment on function pie_private.register_user(uuid,text,text,text,inet) is 'Makes a user with an address and perhaps a password; null when the address is taken.';

CREATE OR REPLACE FUNCTION pie_private.remember_network()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
;
comment on function pie_private.remember_network() is 'Trigger: where a session is started, its user has been seen.';

CREATE OR REPLACE FUNCTION pie_private.renew_session(session_id uuid, proofs bytea[], successor_id uuid, successor_proof_hash bytea, lifetime interval, renew_window interval, retry_window interval, address inet, user_agent text)
 RETURNS json
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  expired pie_private.sessions;
  successor uuid;
begin
  perform from pie_schema.users
  where users.id = (
      select sessions.user_id from pie_private.sessions
      where sessions.id = session_id
        and sessions.proof_hash = any (array(select sha256(proof) from unnest(proofs) as given (proof)))
    )
    and users.disabled_at is null
  for share;
  if not found then
    return null;
  end if;

  select sessions.* into expired from pie_private.sessions
  where sessions.id = session_id
    and sessions.kind = 'browser'
    and sessions.proof_hash = any (array(select sha256(proof) from unnest(proofs) as given (proof)))
    and sessions.revoked_at is null
    and sessions.expires_at <= now()
    and sessions.expires_at > now() - renew_window
    and sessions.absolute_expires_at > now()
  for update;
  if not found then
    return null;
  end if;

  if expired.successor_id is not null then
    successor := (
      select sessions.id from pie_private.sessions
      where sessions.id = expired.successor_id and sessions.created_at > now() - retry_window
    );
  else
    insert into pie_private.sessions
      (id, user_id, kind, proof_hash, assurance_level, methods, actor_id, scopes, expires_at, absolute_expires_at,
       address, user_agent)
    values
      (renew_session.successor_id, expired.user_id, expired.kind, successor_proof_hash, expired.assurance_level,
       expired.methods, expired.actor_id, expired.scopes, least(now() + lifetime, expired.absolute_expires_at),
       expired.absolute_expires_at, renew_session.address, left(renew_session.user_agent, 512));
    update pie_private.sessions set successor_id = renew_session.successor_id where sessions.id = session_id;
    perform pie_private.record_event('session.renewed', expired.user_id, session_id, address,
      jsonb_build_object('successor', renew_session.successor_id));
    successor := renew_session.successor_id;
  end if;
  return (
    select session_descriptions.description from pie_private.session_descriptions
    where session_descriptions.id = successor and session_descriptions.is_usable
  );
end
$function$
;
grant execute on function pie_private.renew_session(uuid,bytea[],uuid,bytea,interval,interval,interval,inet,text) to pie_auth;
comment on function pie_private.renew_session(uuid,bytea[],uuid,bytea,interval,interval,interval,inet,text) is 'The successor of a browser''s expired session, the same for every retry; null where there is none.';

CREATE OR REPLACE FUNCTION pie_private.revoke_permission(permission text, role text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  delete from pie_schema.role_permissions
  where role_permissions.role = revoke_permission.role and role_permissions.permission = revoke_permission.permission;
  if found then
    perform pie_private.record_event('permission.revoked', null, null, null,
      jsonb_build_object('permission', revoke_permission.permission, 'role', revoke_permission.role));
  end if;
end
$function$
;
comment on function pie_private.revoke_permission(text,text) is 'Takes a permission from a role. For the owner alone.';

CREATE OR REPLACE FUNCTION pie_private.revoke_role(email text, role text)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  found_id uuid := (select user_emails.user_id from pie_schema.user_emails where user_emails.email = revoke_role.email);
begin
  if found_id is null then
    return false;
  end if;
  perform from pie_schema.users where users.id = found_id for no key update;
  delete from pie_schema.user_roles where user_roles.user_id = found_id and user_roles.role = revoke_role.role;
  if found then
    perform pie_private.record_event('role.revoked', found_id, null, null, jsonb_build_object('role', revoke_role.role));
  end if;
  return true;
end
$function$
;
comment on function pie_private.revoke_role(text,text) is 'Takes a role from the user of an address; false when there is no such user. For the owner alone.';

CREATE OR REPLACE FUNCTION pie_private.revoke_sessions(session_id uuid, email text)
 RETURNS integer
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  -- In a statement of its own: whoever is renewing one of them has been waited for, and the next sees it.
  select from pie_schema.users
  where users.id in (
    select sessions.user_id from pie_private.sessions where sessions.id = revoke_sessions.session_id
    union all
    select user_emails.user_id from pie_schema.user_emails where user_emails.email = revoke_sessions.email
  )
  order by users.id
  for no key update;

  with recursive line as (
    select sessions.id, sessions.successor_id from pie_private.sessions where sessions.id = revoke_sessions.session_id
    union
    select next.id, next.successor_id from line join pie_private.sessions as next on next.id = line.successor_id
  ), ended as (
    update pie_private.sessions set revoked_at = now(), revoked_reason = 'revoked_by_operator'
    where sessions.revoked_at is null
      and (sessions.id in (select line.id from line) or sessions.user_id = (
        select user_emails.user_id from pie_schema.user_emails where user_emails.email = revoke_sessions.email
      ))
    returning sessions.id, sessions.user_id, sessions.successor_id
  ), new_event as (
    insert into pie_private.audit_log (event, user_id, session_id, detail)
    select 'session.ended', ended.user_id, ended.id, '{"reason": "revoked_by_operator"}' from ended
  )
  select count(*) filter (where ended.successor_id is null)::integer from ended
$function$
;
comment on function pie_private.revoke_sessions(uuid,text) is 'Ends one session, or all of a user''s; returns how many. For the owner alone.';

CREATE OR REPLACE FUNCTION pie_private.rotate_signing_key(kid text, public_jwk jsonb, sealed_private bytea, signs_after interval, overlap interval)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  lock table pie_private.signing_keys in share row exclusive mode;
  update pie_private.signing_keys set verifies_until = greatest(now() + signs_after + overlap, signing_keys.created_at)
  where signing_keys.verifies_until is null or signing_keys.verifies_until > now() + signs_after + overlap;
  insert into pie_private.signing_keys (kid, public_jwk, sealed_private, signs_from)
  values (kid, public_jwk, sealed_private, now() + signs_after);
  perform pie_private.record_event('signing_key.rotated', null, null, null, jsonb_build_object('kid', kid));
end
$function$
;
comment on function pie_private.rotate_signing_key(text,jsonb,bytea,interval,interval) is 'Adds a key and lets the older ones run out. For the owner alone.';

CREATE OR REPLACE FUNCTION pie_private.run_hook(hook text, user_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET lock_timeout TO '3s'
AS $function$
declare
  code text;
  reason text;
begin
  if to_regprocedure(format('pie_hooks.%I(uuid)', hook)) is null then
    return;
  end if;
  begin
    execute format('select pie_hooks.%I($1)', hook) using user_id;
  -- OTHERS leaves these two out: a hook that runs into statement_timeout, or asserts.
  exception when query_canceled or assert_failure or others then
    get stacked diagnostics code = returned_sqlstate, reason = message_text;
    if current_setting('pie.hook_failures', true) = 'refuse' then
      raise exception 'pie_hooks.% failed with SQLSTATE %: %', hook, code, reason using errcode = 'PI002';
    end if;
    insert into pie_private.audit_log (event, user_id, detail)
    values ('hook.failed', run_hook.user_id,
      jsonb_build_object('function', 'pie_hooks.' || hook, 'sqlstate', code, 'message', left(reason, 500)));
    raise warning 'pie_hooks.% failed with SQLSTATE %: %', hook, code, reason using errcode = code;
  end;
end
$function$
;
comment on function pie_private.run_hook(text,uuid) is 'Calls the application''s function of this name in pie_hooks, if there is one, in a savepoint.';

CREATE OR REPLACE FUNCTION pie_private.session_revoked_at(session_id uuid)
 RETURNS timestamp with time zone
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return (select sessions.revoked_at from pie_private.sessions where sessions.id = session_id);
end
$function$
;
grant execute on function pie_private.session_revoked_at(uuid) to pie_auth;
comment on function pie_private.session_revoked_at(uuid) is 'When a session was revoked; null for one that is not, or is not there.';

CREATE OR REPLACE FUNCTION pie_private.set_user_password(email text, new_hash text)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  found_id uuid := (
    select user_emails.user_id from pie_schema.user_emails where user_emails.email = set_user_password.email
  );
  ended_count integer;
begin
  -- The user first, as by everybody who starts or ends sessions: a sign-in with the old password holds the user until its
  -- session is there, and is found below.
  perform from pie_schema.users where users.id = found_id for no key update;
  if not found then
    return null;
  end if;
  insert into pie_private.passwords (user_id, hash) values (found_id, new_hash)
  on conflict on constraint passwords_pkey do update set hash = excluded.hash, changed_at = now();
  with ended as (
    update pie_private.sessions set revoked_at = now(), revoked_reason = 'password_changed'
    where sessions.user_id = found_id and sessions.revoked_at is null
    returning sessions.successor_id
  )
  select count(*) filter (where ended.successor_id is null) into ended_count from ended;
  delete from pie_private.throttles where throttles.key = 'password-change:' || found_id;
  perform pie_private.record_event('password.changed', found_id, null, null, '{"by": "operator"}');
  return ended_count;
end
$function$
;
comment on function pie_private.set_user_password(text,text) is 'Sets the password of the user of an address and ends their sessions; how many, or null when there is no such user. For the owner alone.';

CREATE OR REPLACE FUNCTION pie_private.spend_attempt(key text, burst integer, drain interval)
 RETURNS interval
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
;
comment on function pie_private.spend_attempt(text,integer,interval) is 'Counts one attempt; null if it may be made, otherwise how long to wait.';

CREATE OR REPLACE FUNCTION pie_private.start_session(user_id uuid, session_id uuid, kind text, proof_hash bytea, methods text[], lifetime interval, absolute_lifetime interval, address inet, user_agent text)
 RETURNS TABLE(started_at timestamp with time zone, expires_at timestamp with time zone, absolute_expires_at timestamp with time zone, "user" json)
 LANGUAGE plpgsql
 SECURITY DEFINER ROWS 1
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return query
    with usable_user as (
      -- Locked against being disabled until this session is there to be ended with the others.
      select users.id from pie_schema.users
      where users.id = start_session.user_id and users.disabled_at is null
      for share
    ), new_session as (
      insert into pie_private.sessions
        (id, user_id, kind, proof_hash, methods, expires_at, absolute_expires_at, address, user_agent)
      select
        start_session.session_id, usable_user.id, start_session.kind, start_session.proof_hash,
        start_session.methods,
        now() + least(start_session.lifetime, start_session.absolute_lifetime),
        now() + start_session.absolute_lifetime,
        start_session.address, left(start_session.user_agent, 512)
      from usable_user
      returning sessions.*
    ), new_event as (
      insert into pie_private.audit_log (event, user_id, session_id, address, detail)
      select 'session.started', new_session.user_id, new_session.id, new_session.address,
             jsonb_build_object('kind', new_session.kind, 'methods', new_session.methods)
      from new_session
    )
    select new_session.created_at, new_session.expires_at, new_session.absolute_expires_at,
           user_descriptions.description
    from new_session
    join pie_schema.user_descriptions on user_descriptions.id = new_session.user_id;
end
$function$
;
grant execute on function pie_private.start_session(uuid,uuid,text,bytea,text[],interval,interval,inet,text) to pie_auth;
comment on function pie_private.start_session(uuid,uuid,text,bytea,text[],interval,interval,inet,text) is 'Starts a session for a usable user; no row otherwise.';

CREATE OR REPLACE FUNCTION pie_private.take_session(session_id uuid, proof bytea)
 RETURNS uuid
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  session record;
begin
  select * into strict session from pie_private.check_session(session_id, proof);
  perform set_config('pie.session_id', session_id::text, true),
          set_config('pie.session_proof', encode(proof, 'hex'), true),
          set_config('role', session.database_role, true);
  return session.user_id;
end
$function$
;
grant execute on function pie_private.take_session(uuid,bytea) to cream;
comment on function pie_private.take_session(uuid,bytea) is 'Proves a session and takes its database role until the transaction ends, or raises 28000.';

CREATE OR REPLACE FUNCTION pie_private.tell_of_changed_user(user_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  insert into pie_private.held_changes (user_id) values (tell_of_changed_user.user_id) on conflict do nothing;
  if found then
    perform pie_private.run_hook('after_user_changed', tell_of_changed_user.user_id);
    delete from pie_private.held_changes where held_changes.user_id = tell_of_changed_user.user_id;
  end if;
end
$function$
;
comment on function pie_private.tell_of_changed_user(uuid) is 'Calls pie_hooks.after_user_changed for a user, unless that is held.';

CREATE OR REPLACE FUNCTION pie_private.tell_of_changed_users()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  touched uuid[];
  changed uuid;
begin
  if to_regprocedure('pie_hooks.after_user_changed(uuid)') is null then
    return null;
  end if;
  if tg_op = 'INSERT' then
    touched := array(select new_rows.user_id from new_rows);
  elsif tg_op = 'DELETE' then
    touched := array(select old_rows.user_id from old_rows);
  elsif tg_table_name = 'users' then
    touched := array(
      select new_rows.id from old_rows join new_rows on new_rows.id = old_rows.id
      where new_rows.name is distinct from old_rows.name
        or (new_rows.disabled_at is null) <> (old_rows.disabled_at is null)
    );
  elsif tg_table_name = 'user_emails' then
    touched := array(
      select differing.user_id from (
        (select user_id, email, is_verified, is_primary from old_rows except select user_id, email, is_verified, is_primary from new_rows)
        union all
        (select user_id, email, is_verified, is_primary from new_rows except select user_id, email, is_verified, is_primary from old_rows)
      ) as differing
    );
  else
    touched := array(
      select differing.user_id from (
        (select user_id, role from old_rows except select user_id, role from new_rows)
        union all
        (select user_id, role from new_rows except select user_id, role from old_rows)
      ) as differing
    );
  end if;
  -- Not one who is being made or deleted.
  for changed in
    select users.id from pie_schema.users where users.id = any (touched) and users.created_at <> now() order by users.id
  loop
    perform pie_private.tell_of_changed_user(changed);
  end loop;
  return null;
end
$function$
;
comment on function pie_private.tell_of_changed_users() is 'Trigger: calls pie_hooks.after_user_changed once for each user whom the statement has changed.';

CREATE OR REPLACE FUNCTION pie_private.touch_user()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  new.updated_at := now();
  new.version := old.version + 1;
  return new;
end
$function$
;
comment on function pie_private.touch_user() is 'Trigger: a changed user has a new version and time of change.';

CREATE OR REPLACE FUNCTION pie_private.touch_user_of_row()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  touched uuid[] := array[case when tg_op <> 'INSERT' then old.user_id end, case when tg_op <> 'DELETE' then new.user_id end];
begin
  update pie_schema.users set version = users.version where users.id = any (touched) and users.created_at <> now();
  return null;
end
$function$
;
comment on function pie_private.touch_user_of_row() is 'Trigger: a change of a user''s addresses or roles is a new version of the user.';

CREATE OR REPLACE FUNCTION pie_private.touch_version()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  new.version := old.version + 1;
  return new;
end
$function$
;
comment on function pie_private.touch_version() is 'Trigger: the version of a changed row is one higher than before.';

CREATE OR REPLACE FUNCTION pie_private.turn_over_sessions()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  update pie_private.sessions set expires_at = now()
  where sessions.user_id in (
      case when tg_op <> 'INSERT' then old.user_id end, case when tg_op <> 'DELETE' then new.user_id end
    )
    and sessions.kind = 'browser' and sessions.revoked_at is null and sessions.expires_at > now();
  return null;
end
$function$
;
comment on function pie_private.turn_over_sessions() is 'Trigger: a user whose roles change gets new session ids.';

CREATE OR REPLACE FUNCTION pie_private.use_csrf_token(token_hash bytea, expires_at timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_variable
begin
  insert into pie_private.used_csrf_tokens (token_hash, expires_at) values (token_hash, expires_at)
  on conflict on constraint used_csrf_tokens_pkey do nothing;
  return found;
end
$function$
;
grant execute on function pie_private.use_csrf_token(bytea,timestamp with time zone) to pie_auth;
comment on function pie_private.use_csrf_token(bytea,timestamp with time zone) is 'Uses a CSRF token; false when it has been used before.';

CREATE OR REPLACE FUNCTION pie_private.user_of_session(session_id uuid, proofs bytea[])
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return (
    select checked.user_id
    from pie_private.check_session(user_of_session.session_id, coalesce(
      (
        select given.proof from unnest(user_of_session.proofs) as given (proof)
        join pie_private.sessions on sessions.id = user_of_session.session_id and sessions.proof_hash = sha256(given.proof)
      ),
      user_of_session.proofs[1]
    )) as checked
  );
end
$function$
;
comment on function pie_private.user_of_session(uuid,bytea[]) is 'Whom a session that its holder proves acts as, or raises 28000.';

CREATE OR REPLACE FUNCTION pie_private.visit_session(session_id uuid, proofs bytea[], browser_lifetime interval)
 RETURNS json
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
;
grant execute on function pie_private.visit_session(uuid,bytea[],interval) to pie_auth;
comment on function pie_private.visit_session(uuid,bytea[],interval) is 'The same, after it has been written down that the session is in use.';

CREATE OR REPLACE FUNCTION pie_schema.current_session_id()
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return (select proven.session_id from pie_private.current_session() as proven);
end
$function$
;
grant execute on function pie_schema.current_session_id() to webuser;
comment on function pie_schema.current_session_id() is 'The session that this transaction has proven, or null.';

CREATE OR REPLACE FUNCTION pie_schema.current_user_id()
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return (
    select sessions.user_id
    from pie_private.sessions
    where sessions.id = nullif(current_setting('pie.session_id', true), '')::uuid
      and sessions.proof_hash = sha256(decode(current_setting('pie.session_proof', true), 'hex'))
      and sessions.revoked_at is null
      and sessions.expires_at > now()
  );
end
$function$
;
grant execute on function pie_schema.current_user_id() to webuser;
comment on function pie_schema.current_user_id() is 'The user whose session this transaction has proven, or null. In a policy write `(select pie_schema.current_user_id())`, so that it runs once per statement.';

CREATE OR REPLACE FUNCTION pie_schema.end_my_other_sessions(renew_window interval DEFAULT NULL::interval)
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return query
    select * from pie_private.end_sessions_but(
      (select pie_schema.current_user_id()), (select pie_schema.current_session_id()), renew_window);
end
$function$
;
grant execute on function pie_schema.end_my_other_sessions(interval) to webuser;
comment on function pie_schema.end_my_other_sessions(interval) is 'Ends all of the user''s sessions but this one and returns the ids of those that my_sessions lists.';

CREATE OR REPLACE FUNCTION pie_schema.end_my_session(session_id uuid)
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return query select * from pie_private.end_session_of((select pie_schema.current_user_id()), session_id);
end
$function$
;
grant execute on function pie_schema.end_my_session(uuid) to webuser;
comment on function pie_schema.end_my_session(uuid) is 'Ends one of the user''s sessions with its successors and returns their ids; none when there is no such session.';

CREATE OR REPLACE FUNCTION pie_schema.has_permission(permission text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return exists (
    select
    from pie_schema.user_roles
    join pie_schema.role_permissions on role_permissions.role = user_roles.role
    where user_roles.user_id = (select pie_schema.current_user_id())
      and role_permissions.permission = has_permission.permission
  );
end
$function$
;
grant execute on function pie_schema.has_permission(text) to webuser;
comment on function pie_schema.has_permission(text) is 'Whether one of the user''s roles has a permission, as `subject:verb`.';

CREATE OR REPLACE FUNCTION pie_schema.has_role(role text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return exists (
    select from pie_schema.user_roles
    where user_roles.user_id = (select pie_schema.current_user_id())
      and user_roles.role = has_role.role
  );
end
$function$
;
grant execute on function pie_schema.has_role(text) to webuser;
comment on function pie_schema.has_role(text) is 'Whether the user whose session this transaction has proven has a role.';

CREATE OR REPLACE FUNCTION pie_schema.has_scope(scope text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return exists (
    select from pie_private.current_session() as proven
    where proven.scopes is null or has_scope.scope = any (proven.scopes)
  );
end
$function$
;
grant execute on function pie_schema.has_scope(text) to webuser;
comment on function pie_schema.has_scope(text) is 'Whether the session that this transaction has proven may do what a scope names: it has that scope, or no limit at all.';

CREATE OR REPLACE FUNCTION pie_schema.my_sessions(renew_window interval DEFAULT '00:00:00'::interval)
 RETURNS TABLE(id uuid, kind text, created_at timestamp with time zone, last_seen_at timestamp with time zone, expires_at timestamp with time zone, assurance_level smallint, methods text[], address inet, user_agent text, is_current boolean)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  return query
    select sessions.id, sessions.kind, sessions.created_at, sessions.last_seen_at, sessions.expires_at,
           sessions.assurance_level, sessions.methods, sessions.address, sessions.user_agent,
           sessions.id = (select pie_schema.current_session_id())
    from pie_private.sessions
    where sessions.user_id = (select pie_schema.current_user_id())
      and sessions.revoked_at is null
      and sessions.successor_id is null
      and sessions.absolute_expires_at > now()
      and sessions.expires_at > now() - case sessions.kind when 'browser' then renew_window else '0' end
    order by sessions.last_seen_at desc, sessions.id;
end
$function$
;
grant execute on function pie_schema.my_sessions(interval) to webuser;
comment on function pie_schema.my_sessions(interval) is 'What the user is signed in with: every session that may act, or that was a browser''s and expired less than the window ago.';
