-- CSRF tokens that have been used, for CSRF_MODE=request, in which each is good for one request. In
-- Postgres rather than in a cache, because what may happen once must be remembered.
create table pie_private.used_csrf_tokens (
  token_hash bytea primary key,
  expires_at timestamptz not null,
  constraint used_csrf_tokens_token_hash_is_sha256 check (octet_length(token_hash) = 32)
);
create index used_csrf_tokens_expires_at_idx on pie_private.used_csrf_tokens (expires_at);

alter table pie_private.used_csrf_tokens enable row level security;
alter table pie_private.used_csrf_tokens force row level security;

-- The owner's own functions work on every row; nobody else is granted this table.
create policy used_csrf_tokens_for_owner on pie_private.used_csrf_tokens to current_user using (true) with check (true);

-- Uses a token; false when it has been used before. Whoever uses one clears a few away that have
-- expired and could not be used anyway.
create function pie_private.use_csrf_token(token_hash bytea, expires_at timestamptz) returns boolean
  language plpgsql volatile security definer
  set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  insert into pie_private.used_csrf_tokens (token_hash, expires_at) values (token_hash, expires_at)
  on conflict on constraint used_csrf_tokens_pkey do nothing;
  if not found then
    return false;
  end if;
  delete from pie_private.used_csrf_tokens as used
  where used.token_hash in (
    select stale.token_hash from pie_private.used_csrf_tokens as stale
    where stale.expires_at < now() - interval '1 hour'
    order by stale.expires_at
    limit 4
    for update skip locked
  );
  return true;
end
$$;
revoke execute on function pie_private.use_csrf_token(bytea, timestamptz) from public;
grant execute on function pie_private.use_csrf_token(bytea, timestamptz) to pie_auth;

comment on table pie_private.used_csrf_tokens is 'CSRF tokens that have been used. Granted to no role.';
comment on column pie_private.used_csrf_tokens.token_hash is 'SHA-256 of the token.';
comment on column pie_private.used_csrf_tokens.expires_at is 'When the token would have expired.';
comment on function pie_private.use_csrf_token(bytea, timestamptz) is 'Uses a CSRF token; false when it has been used before.';
