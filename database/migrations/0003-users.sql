-- People and service accounts, and the addresses they sign in with.
--
-- An address is a row of its own, because a user may come to have several, and because whether it
-- has been verified is nothing that its owner may write.
create table pie_schema.users (
  id          uuid primary key,
  name        text,
  disabled_at timestamptz,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  version     bigint not null default 1,
  constraint users_name_is_one_line check (
    char_length(name) between 1 and 200 and name !~ '[[:cntrl:]\u2028\u2029]' and name = btrim(name)
  )
);

create table pie_schema.user_emails (
  id          uuid primary key default gen_random_uuid(),
  user_id     uuid not null references pie_schema.users (id) on delete cascade,
  email       text not null,
  is_verified boolean not null default false,
  is_primary  boolean not null default false,
  created_at  timestamptz not null default now(),
  -- Case variants are one address: only the lower-case form can be stored.
  constraint user_emails_email_key unique (email),
  constraint user_emails_email_is_plain check (
    email = lower(email)
    and char_length(email) <= 254
    and email ~ '^[a-z0-9!#$%&''*+/=?^_`{|}~.-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$'
  )
);
create index user_emails_user_id_idx on pie_schema.user_emails (user_id);
create unique index user_emails_one_primary_idx on pie_schema.user_emails (user_id) where is_primary;

create function pie_private.touch_user() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := now();
  new.version := old.version + 1;
  return new;
end
$$;
revoke execute on function pie_private.touch_user() from public;
create trigger users_touch before update on pie_schema.users
  for each row execute function pie_private.touch_user();

alter table pie_schema.users enable row level security;
alter table pie_schema.users force row level security;
alter table pie_schema.user_emails enable row level security;
alter table pie_schema.user_emails force row level security;

-- The owner's own functions (sign-in, registration) work on every row. Row-level security is forced,
-- so without this policy even they would see nothing.
create policy users_for_owner on pie_schema.users
  to current_user using (true) with check (true);
create policy user_emails_for_owner on pie_schema.user_emails
  to current_user using (true) with check (true);

-- The policies of webuser and webadmin follow in 0007-policies.sql: they stand on the functions that
-- prove a session, which stand on the session's table.

comment on table pie_schema.users is 'A person or a service account.';
comment on column pie_schema.users.id is 'Identifies the user for ever; the `sub` of every token.';
comment on column pie_schema.users.name is 'What the user wants to be called: one line, 1 to 200 characters.';
comment on column pie_schema.users.disabled_at is 'Since when the user may not sign in; null for a usable account.';
comment on column pie_schema.users.created_at is 'When the user was made.';
comment on column pie_schema.users.updated_at is 'When this row last changed.';
comment on column pie_schema.users.version is 'Grows by one with every change; what caches compare.';
comment on table pie_schema.user_emails is 'An address that a user signs in with or is written to at.';
comment on column pie_schema.user_emails.id is 'Identifies the address.';
comment on column pie_schema.user_emails.user_id is 'Whose address this is.';
comment on column pie_schema.user_emails.email is 'The address, in lower case; unique among all users.';
comment on column pie_schema.user_emails.is_verified is 'Whether the user has shown that mail to this address reaches them.';
comment on column pie_schema.user_emails.is_primary is 'Whether this is the address that Pie writes to.';
comment on column pie_schema.user_emails.created_at is 'When the address was added.';
comment on function pie_private.touch_user() is 'Trigger: a changed user has a new version and time of change.';
