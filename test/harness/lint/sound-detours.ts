import { commented, ownRow, schemaAlone, sharedTable, soundFunction, soundTable } from './names.ts'

const definer = 'security definer set search_path = pg_catalog, pg_temp'
const asks = 'pie_schema.current_user_id()'

/** A function that webuser may execute. */
const door = (callable: string, rest: string) =>
  `${soundFunction(callable, rest)} grant execute on function {s}.${callable} to webuser;`

/** What leads past tables, as it should be. */
export const soundDetours = [
  schemaAlone,
  sharedTable('notes'),
  soundTable('journal', ', {owner_id} uuid, {body} text, {token} bytea, {n} integer'),
  commented('view', 'mine', 'with (security_invoker = true) as select {id} from {s}.{notes}'),
  commented(
    'view',
    'mine_long',
    'with (security_invoker = true) as select {id} from {s}.{notes} where length({body}) > 9',
  ),
  'grant select on {s}.{mine}, {s}.{mine_long} to webuser;',
  commented('materialized view', 'counts', 'as select count(*) as {id} from {s}.{notes}'),
  `create sequence {s}.{numbers}; comment on sequence {s}.{numbers} is 'Numbers.'; grant usage on {s}.{numbers} to webuser;`,
  // A partition that is closed to all is read through its table alone.
  commented(
    'table',
    'days',
    '({id} integer primary key, {owner_id} uuid) partition by list ({id})',
  ),
  commented('table', 'days_rest', 'partition of {s}.{days} default'),
  `comment on column {s}.{days}.{owner_id} is 'Whose.'; comment on column {s}.{days_rest}.{owner_id} is 'Whose.';
  create index on {s}.{days} ({owner_id});
  alter table {s}.{days} enable row level security, force row level security;
  alter table {s}.{days_rest} enable row level security, force row level security;
  create policy {days_for_owner} on {s}.{days} to current_user using (true) with check (true);
  create policy {days_own} on {s}.{days} for select to webuser using (${ownRow});
  grant select on {s}.{days} to webuser;`,
  door(
    '{mine_of}(integer)',
    `returns text language sql stable ${definer} as $$ select max({body}) from {s}.{notes} where ${ownRow} and {id} = $1 $$`,
  ),
  door(
    '{forget}(integer)',
    `returns void language plpgsql ${definer} as $$ begin
      if ${asks} is null then return; end if;
      delete from {s}.{notes} where {id} = $1 and {owner_id} = ${asks};
    end $$`,
  ),
  // Asked by what it calls.
  soundFunction('{who}()', `returns uuid language sql stable as $$ select ${asks} $$`),
  door(
    '{change}(integer, text)',
    `returns void language plpgsql ${definer} as $$ begin
      update {s}.{notes} set {body} = $2 where {id} = $1 and {owner_id} = {s}.{who}();
    end $$`,
  ),
  // Whoever knows the token has shown who they are.
  door(
    '{by_token}(user_id uuid, said_token text)',
    `returns text language sql stable ${definer} as $$
      select max({body}) from {s}.{journal} where {owner_id} = user_id and {token} = sha256(convert_to(said_token, 'utf8')) $$`,
  ),
  soundTable('invitations', ', invite_code text, owner_id uuid, is_public boolean, body text'),
  door(
    '{by_code}(code text)',
    `returns setof text language sql stable ${definer} as $$ select body from {s}.{invitations} where invite_code = code $$`,
  ),
  door(
    '{by_slug}(slug text)',
    `returns setof text language sql stable ${definer} as $$ select owner_id::text from {s}.{invitations} where body = slug $$`,
  ),
  door(
    '{public_one}(integer)',
    `returns setof text language sql stable ${definer} as $$ select body from {s}.{invitations} where {id} = $1 and is_public $$`,
  ),
  door(
    '{find_public}(said text)',
    `returns setof text language sql stable ${definer} as $$
      select body from {s}.{invitations} where is_public and body ilike '%' || said || '%' limit 9 $$`,
  ),
  door(
    '{how_many}(integer)',
    `returns bigint language sql stable ${definer} as $$ select count(*) from {s}.{invitations} where {id} = $1 $$`,
  ),
  door(
    '{count_up}(integer)',
    `returns void language sql ${definer} as $$
      insert into {s}.{journal} as j ({id}, {n}) values ($1, 1) on conflict ({id}) do update set {n} = j.{n} + excluded.{n} $$`,
  ),
  door(
    '{older_than}(integer)',
    `returns void language sql ${definer} as $$ delete from {s}.{journal} where {n} < $1 $$`,
  ),
  door(
    '{signed_in_by_variable}(integer)',
    `returns void language plpgsql ${definer} as $$ declare {me} uuid := ${asks}; begin
      if {me} is null then raise exception 'no'; end if;
      delete from {s}.{notes} where {id} = $1 and {owner_id} = {me};
    end $$`,
  ),
  door(
    '{is_there}(user_id uuid)',
    `returns boolean language sql stable ${definer} as $$ select exists (select from {s}.{notes} where {owner_id} = user_id) $$`,
  ),
  door(
    '{note_down}(text)',
    `returns void language sql ${definer} as $$ insert into {s}.{journal} ({id}, {body}) values (1, $1) $$`,
  ),
  // As whoever calls it, policies hold.
  door(
    '{of_user}(user_id uuid)',
    `returns setof text language sql stable as $$ select {body} from {s}.{notes} where {owner_id} = user_id $$`,
  ),
  door(
    '{sorted}(text)',
    `returns void language plpgsql ${definer} as $$ begin
      if $1 not in ('asc', 'desc') then raise exception 'no'; end if;
      execute format('select %L', $1) || ' order by 1 ' || $1;
    end $$`,
  ),
  soundFunction(
    '{noted}()',
    `returns trigger language plpgsql ${definer} as $$ begin
      execute 'select $1' using new.{body};
      insert into {s}.{journal} ({id}, {body}) values (new.{id}, new.{body});
      return new;
    end $$`,
  ),
  'create trigger {noted} after insert on {s}.{notes} for each row execute function {s}.{noted}();',
].join('\n')
