import { commented, schemaAlone, soundFunction, soundTable } from './names.ts'

/** An application with a bit of everything that the rules look at, as it should be. */
export const soundApplication = [
  schemaAlone,
  ...soundFunctions(),
  soundTable(
    'notes',
    `, {owner_id} uuid not null references pie_schema.users on delete cascade, {body} text,
    {is_hidden} boolean, {length} integer generated always as (length({body})) stored`,
  ),
  soundTable(
    'shares',
    `, {note_id} integer not null references {s}.{notes} on delete cascade,
    {reader_id} uuid references pie_schema.users on delete set null`,
  ),
  `create index on {s}.{notes} ({owner_id});
  create index on {s}.{shares} ({note_id}, {reader_id});
  create index on {s}.{shares} ({reader_id}) where {reader_id} is not null;

  create policy {notes_own} on {s}.{notes} to webuser
    using ({owner_id} = (select pie_schema.current_user_id()))
    with check ({owner_id} = (select pie_schema.current_user_id()));
  create policy {notes_shared} on {s}.{notes} for select to webuser using (exists (
    select from {s}.{shares} as s
    where s.{note_id} = {notes}.{id} and s.{reader_id} = (select pie_schema.current_user_id())
  ));
  create policy {notes_by_row} on {s}.{notes} for delete to webadmin
    using ({s}.{is_mine}({owner_id}) and {s}.{is_mine}((select {notes}.{owner_id})) and {body} <> '{'s}.{'is_mine}(');
  create policy {notes_open} on {s}.{notes} as restrictive using (not {is_hidden} or {is_hidden} = false or {length} = {id});
  create policy {notes_by_helper} on {s}.{notes} for select to webadmin
    using ((select {s}.{asks}() and {s}.{adds}(1) > 1 and exists (select from {s}.{rows}('viewer') as given)));
  create policy {shares_own} on {s}.{shares} for select to webuser
    using ({reader_id} = any (array(select pie_schema.current_user_id())));

  grant select on {s}.{notes}, {s}.{shares} to webuser;
  grant insert ({id}, {owner_id}, {body}), update ({body}) on {s}.{notes} to webuser;
  grant select, delete on {s}.{notes} to webadmin;
  grant execute on function {s}.{is_mine}(uuid), {s}.{asks}(), {s}.{adds}(integer), {s}.{rows}(text) to webadmin;
  comment on table {s}.{notes} is
    E'@name jotting\\n@behavior +query:resource:list\\nA note; write me to ada@behavior.example - soon.';`,
  commented(
    'view',
    'texts',
    'with (security_invoker = on) as select {body} from {s}.{notes}',
    'body',
  ),
  'grant select on {s}.{texts} to webuser;',
  commented(
    'materialized view',
    'counts',
    'as select count(*) as {count} from {s}.{notes}',
    'count',
  ),
  commented('foreign table', 'afar', '({id} integer) server nowhere'),
  commented('table', 'events', '({id} integer) partition by list ({id})'),
  `alter table {s}.{events} add column {note_id} integer references {s}.{notes} on delete cascade;
  comment on column {s}.{events}.{note_id} is 'A column.';
  create index on {s}.{events} ({note_id});
  create table {s}.{events_rest} partition of {s}.{events} default;
  alter table {s}.{events} enable row level security, force row level security;
  alter table {s}.{events_rest} enable row level security, force row level security;
  create policy {events_for_owner} on {s}.{events} to current_user using (true);`,
].join('\n')

function soundFunctions(): string[] {
  const byRow =
    'returns boolean language sql stable as $$ select $1 = pie_schema.current_user_id() $$'
  const definer = `returns boolean language plpgsql stable security definer
    set search_path = pg_catalog, {s}, pg_temp
    as $$ begin if $2 is null then return null; end if; return $1 is not null; end $$`
  const oneQuery = `returns integer language plpgsql stable security definer
    set search_path = pg_catalog, pg_temp as $$ begin return 1; end $$`
  const asks =
    'returns boolean language plpgsql stable as $$ begin return exists (select from pie_schema.roles); end $$'
  // Whose function that is, the search path of its author says.
  const byPath = 'returns integer language plpgsql stable as $$ begin return {same}($1); end $$'
  const strict = 'returns integer language plpgsql immutable strict as $$ begin return $1; end $$'
  const wide = `returns integer language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$ select count(*)::integer from pie_schema.roles $$`
  const rows = `returns setof text language sql stable as $$
    select roles.name from pie_schema.roles where roles.name = $1 $$`
  const lots =
    'returns setof float language plpgsql as $$ begin return query select random(); end $$'
  const writes = 'returns void language sql as $$ delete from pie_schema.user_roles where false $$'
  return [
    soundFunction('{is_mine}(uuid)', byRow),
    soundFunction('{is_mine}(uuid, text)', definer),
    soundFunction('{once}(integer)', oneQuery),
    soundFunction('{cleans}(integer)', writes),
    soundFunction('{asks}()', asks),
    soundFunction(
      '{adds}(integer)',
      'returns integer language sql immutable as $$ select $1 + 1 $$',
    ),
    soundFunction('{rows}(text)', rows),
    soundFunction('{same}(integer)', strict),
    soundFunction('{by_path}(integer)', byPath),
    soundFunction('{of_no_policy}()', wide),
    soundFunction('{draws}()', lots),
    soundFunction('{rolls}()', 'returns double precision language sql as $$ select random() $$'),
    soundFunction('{touch}()', 'returns trigger language plpgsql as $$ begin return new; end $$'),
    soundFunction('{works}(integer)', 'language sql as $$ select 1 $$', 'procedure'),
  ]
}
