import { commented, schemaAlone, soundFunction, soundTable } from './names.ts'

const setting = `(select nullif(current_setting('search_path', true), ''))`
const isMine = `{owner_id} = ${setting}::integer`

/** A table with policies that look rows up, and the indexes that answer them. */
const answered = (name: string, columns: string, using: string, indexes: string): string =>
  `${soundTable(name, columns)} ${indexes}
   create policy {${name}_own} on {s}.{${name}} to webuser using (${using});`

const owned = ', {owner_id} integer'

const lookups = [
  answered(
    'kept',
    `${owned}, {deleted_at} timestamptz`,
    `${isMine} and {deleted_at} is null`,
    'create index on {s}.{kept} ({owner_id}) where {deleted_at} is null;',
  ),
  answered(
    'active',
    `${owned}, {is_active} boolean, {is_hidden} boolean`,
    `${isMine} and {is_active} = true and not {is_hidden}`,
    'create index on {s}.{active} ({owner_id}) where {is_active} and not {is_hidden};',
  ),
  answered(
    'open',
    `${owned}, {status} text`,
    `${isMine} and {status} = 'open'`,
    `create index on {s}.{open} ({owner_id}) where {status} in ('open', 'late') and {owner_id} is not null;`,
  ),
  answered(
    'mailed',
    ', {email} varchar(99)',
    `lower({email}) = ${setting}`,
    'create unique index on {s}.{mailed} (lower({email}));',
  ),
  answered(
    'documented',
    ', {data} jsonb',
    `({data} ->> 'owner')::uuid = ${setting}::uuid or ({data} @> '{"open": true}' and {data} ? 'x')`,
    `create index on {s}.{documented} ((({data} ->> 'owner')::uuid));
     create index on {s}.{documented} using gin ({data} jsonb_path_ops);`,
  ),
  answered(
    'tagged',
    ', {tags} text[], {days} daterange, {place} inet',
    `array[${setting}] <@ {tags} or {days} @> '2026-01-01'::date or {place} <<= '10.0.0.0/8'`,
    `create index on {s}.{tagged} using gin ({tags}); create index on {s}.{tagged} using gist ({days});
     create index on {s}.{tagged} using gist ({place} inet_ops);`,
  ),
  answered(
    'patterned',
    ', {key} text, {slug} text',
    `{key} = ${setting} or {slug} = any (array[${setting}, 'a'])`,
    `create index on {s}.{patterned} ({key} text_pattern_ops); create index on {s}.{patterned} using hash ({slug});`,
  ),
  answered(
    'numbered',
    `${owned}, {number} integer, unique ({owner_id}, {number})`,
    `${setting}::integer = {owner_id}`,
    '',
  ),
  // What no index would answer: another side of `or`, a list from a query, a boolean, more or less, its own row.
  answered('either', `${owned}, {is_public} boolean`, `${isMine} or {is_public}`, ''),
  answered(
    'shared',
    owned,
    `${isMine} or exists (select from {s}.{numbered} as n where n.{owner_id} = {shared}.{id})`,
    '',
  ),
  answered('chosen', owned, '{owner_id} in (select {id} from {s}.{numbered})', ''),
  answered(
    'later',
    ', {starts} timestamptz, {ends} timestamptz',
    '{starts} < (select now()) and {ends} = {starts}',
    '',
  ),
  answered('whole', ', {body} jsonb', `{whole} is not null and {body}::text = ${setting}`, ''),
  // Two policies that both have to hold: the rows are found by one of them.
  `${answered('tenants', `${owned}, {tenant} integer`, isMine, 'create index on {s}.{tenants} ({tenant}) where {owner_id} is not null;')}
   create policy {tenants_wall} on {s}.{tenants} as restrictive to webuser using ({tenant} = ${setting}::integer);`,
  // Found by the key that divides it, or by an index of each part.
  `create table {s}.{divided} ({id} integer, {part} integer, {owner_id} integer) partition by list ({part});
   create table {s}.{divided_rest} ({owner_id} integer, {part} integer, {id} integer);
   alter table {s}.{divided} attach partition {s}.{divided_rest} default;
   create index on {s}.{divided_rest} ({owner_id});
   alter table {s}.{divided} enable row level security, force row level security;
   alter table {s}.{divided_rest} enable row level security, force row level security;
   comment on table {s}.{divided} is 'A table.'; comment on column {s}.{divided}.{id} is 'A column.';
   comment on column {s}.{divided}.{part} is 'A column.'; comment on column {s}.{divided}.{owner_id} is 'A column.';
   create policy {divided_for_owner} on {s}.{divided} to current_user using (true);
   create policy {divided_own} on {s}.{divided} for select to webuser using (${isMine});
   create policy {divided_part} on {s}.{divided} for delete to webuser using ({part} = ${setting}::integer);`,
  // So few that an index would not be used.
  `${answered('few', `${owned}, {user_id} uuid references pie_schema.users on delete cascade`, isMine, '')}
   insert into {s}.{few} select number from generate_series(1, 99) as number; analyze {s}.{few};`,
]

const indexes = [
  `${soundTable('indexed', ', {a} integer, {b} integer, {key} text, {data} jsonb')}
   create index on {s}.{indexed} ({a}) where {b} > 5;
   create index on {s}.{indexed} ({a} desc);
   create index on {s}.{indexed} using hash ({a});
   create unique index on {s}.{indexed} ({b});
   create unique index on {s}.{indexed} ({b}) nulls not distinct;
   create index on {s}.{indexed} ({b}) include ({a});
   create index on {s}.{indexed} ({key});
   create index on {s}.{indexed} ({key} text_pattern_ops);
   create index on {s}.{indexed} ({key} collate "POSIX");
   create index on {s}.{indexed} (lower({key}));
   create index on {s}.{indexed} (upper({key}));
   create index on {s}.{indexed} using gin ({data});
   create index on {s}.{indexed} using gin ({data} jsonb_path_ops);
   alter table {s}.{indexed} add exclude using btree ({id} with =) where ({a} > 5);`,
  // Both are what a foreign key goes by.
  `${soundTable('referred', ', {a} integer not null')}
   create unique index {referred_index} on {s}.{referred} ({a});
   create table {s}.{referring} ({id} integer primary key,
     {one} integer references {s}.{referred} ({a}) on delete cascade, {two} integer references {s}.{referred} on delete cascade);
   comment on table {s}.{referring} is 'A table.'; comment on column {s}.{referring}.{id} is 'A column.';
   comment on column {s}.{referring}.{one} is 'A column.'; comment on column {s}.{referring}.{two} is 'A column.';
   alter table {s}.{referring} enable row level security, force row level security;
   create policy {referring_for_owner} on {s}.{referring} to current_user using (true);
   create index on {s}.{referring} ({one}, {id}); create index on {s}.{referring} using hash ({two});`,
  `${soundTable('houses', ', {house} integer, {level} integer, unique ({house}, {level})')}
   ${soundTable('rooms', ', {house} integer, {level} integer')}
   alter table {s}.{rooms} add foreign key ({house}, {level}) references {s}.{houses} ({house}, {level}) on delete cascade;
   create index on {s}.{rooms} ({level}, {house}, {id}) where {house} is not null and {level} is not null;`,
  soundTable('kinds', ', {kind} regclass, {who} regrole, {type} regtype[]'),
  `${soundTable('counted', ', {number} bigint generated always as identity (sequence name {s}.{counting})')}
   select setval('{'s}.{'counting}', 3000000000);
   create sequence {s}.{round} as smallint cycle; select setval('{'s}.{'round}', 32000);
   create sequence {s}.{back} as smallint increment -1;`,
  `${soundTable('parent')} create table {s}.{child} () inherits ({s}.{parent});
   comment on table {s}.{child} is 'A table.'; comment on column {s}.{child}.{id} is 'A column.';
   alter table {s}.{child} enable row level security, force row level security;
   create policy {child_for_owner} on {s}.{child} to current_user using (true);`,
]

export const soundCost = [schemaAlone, ...lookups, ...indexes].join('\n')

/** Volatile for what stands behind them: no word in their bodies says it. */
const acts = [
  soundFunction(
    '{dice}(integer)',
    'returns boolean language sql as $$ select random() * 6 > $1 $$',
  ),
  soundFunction(
    '{counts_on}(integer, integer)',
    'returns integer language sql as $$ select $1 + $2 * random()::integer $$',
  ),
  soundFunction(
    '{to_number}({s}.{pair})',
    'returns integer language plpgsql as $$ begin perform pg_notify($1.{a}::text, $1.{a}::text); return 1; end $$',
  ),
  soundFunction(
    '{same_dice}(integer, integer)',
    'returns boolean language sql as $$ select {s}.{dice}($1) and {s}.{dice}($2) $$',
  ),
]
const behind: Record<string, string> = {
  '{by_function}(integer)': '{s}.{dice}($1)',
  '{by_function_in_function}(integer)': '{s}.{by_function}($1) and true',
  '{by_operator}(integer)': '$1 operator({s}.<=>) 1',
  '{by_plain_operator}(integer)': '$1 <=> 1',
  '{by_cast}(integer)': '(row($1)::{s}.{pair})::integer > 1',
  '{by_implicit_cast}(integer)': '(select {numbers} + 1 > 0 from {s}.{holding})',
  '{by_domain}(integer)': '$1::{s}.{lucky} > 1',
  '{by_array_of_domain}(integer)': '(array[$1]::{s}.{lucky}[])[1] > $1',
  '{by_composite}(integer)': '(row($1, $1)::{s}.{lucky_pair}).{x} > 1',
  '{by_aggregate}(integer)': '(select {s}.{chances}(x) > 1 from unnest(array[$1]) as x)',
  '{by_view}(integer)': '(select count(*) > $1 from {s}.{draws})',
  '{by_view_of_view}(integer)': '(select count(*) > $1 from {s}.{draws_again})',
  '{by_sequence}(integer)': `nextval('{'s}.{'numbers}') > $1`,
  '{by_lock}(integer)': 'pg_try_advisory_xact_lock($1)',
  '{by_setting}(integer)': `set_config('search_path', $1::text, true) = ''`,
  '{by_row}(integer)': '(select r.{throws} from {s}.{draws_alone} as r)',
  '{by_number}(integer)': 'txid_current() > $1',
}
const bodies = Object.entries(behind).flatMap(([callable, expression]) => [
  soundFunction(callable, `returns boolean language sql as $body$ select ${expression} $body$`),
  soundFunction(
    callable.replace('{by_', '{also_by_'),
    `returns boolean language plpgsql as $body$ begin if ${expression} then return true; end if; return false; end $body$`,
  ),
  soundFunction(callable.replace('{by_', '{atomic_by_'), `returns boolean return ${expression}`),
])

const others = [
  [
    '{declares}(integer)',
    `returns integer language plpgsql as $$ declare given {s}.{lucky} := $1; begin return given + 1; end $$`,
  ],
  ['{returns_lucky}(integer)', 'returns {s}.{lucky} language sql as $$ select $1 $$'],
  ['{runs}(text)', `returns void language plpgsql as $$ begin execute 'select 1'; end $$`],
  [
    '{locks}(integer)',
    'returns integer language sql as $$ select {id} from {s}.{holding} for key share $$',
  ],
  [
    '{walks}(integer)',
    'returns integer language plpgsql as $$ declare c cursor for select 1; x integer; begin open c; fetch c into x; return x; end $$',
  ],
  ['{keeps}(integer)', 'returns void language sql as $$ select $1 as x into {s}.{taken} $$'],
  ['{tells}(integer)', `returns void language plpgsql as $$ begin notify {told}; end $$`],
  // Immutable, and rightly: what looks like a table or the time is none.
  [
    '{year}(timestamp)',
    'returns integer language sql immutable as $$ select extract(year from $1)::integer $$',
  ],
  [
    '{rest}(text)',
    `returns text language plpgsql immutable as $$ begin
    return (with {n} as (select substring($1 from 2) as x) select trim(both ' ' from {n}.x) from {n} where x is distinct from 'from now()'); end $$`,
  ],
  [
    '{parts}(text[])',
    `returns setof text language sql immutable as $$ select x from unnest($1) as x join lateral (select 1) as y on true $$`,
  ],
  // Stable, and rightly: nothing is written.
  [
    '{words}(text)',
    `returns text language plpgsql stable as $$ declare "update" text := 'insert into x'; begin
    for "update" in select 'delete from y' loop return "update" || E'\\' for update'; end loop; return null; end $$`,
  ],
] as const

/** Functions that are what they say. */
export const soundBodies = [
  schemaAlone,
  `create type {s}.{pair} as ({a} integer); create sequence {s}.{numbers};`,
  ...acts,
  `create operator {s}.<=> (leftarg = integer, rightarg = integer, function = {s}.{same_dice});
   create cast ({s}.{pair} as integer) with function {s}.{to_number}({s}.{pair}) as implicit;
   create domain {s}.{lucky} as integer check ({s}.{dice}(value));
   create type {s}.{lucky_pair} as ({x} {s}.{lucky}, {y} integer);
   create aggregate {s}.{chances} (integer) (sfunc = {s}.{counts_on}, stype = integer, initcond = '0');
   revoke execute on function {s}.{chances}(integer) from public; comment on aggregate {s}.{chances}(integer) is 'An aggregate.';
   ${soundTable('holding', ', {numbers} {s}.{pair}')}`,
  commented('view', 'draws', 'with (security_invoker = on) as select {s}.{dice}(1) as {id}'),
  commented('view', 'draws_again', 'with (security_invoker = on) as select {id} from {s}.{draws}'),
  commented('view', 'draws_alone', 'with (security_invoker = on) as select 1 as {id}'),
  soundFunction(
    '{throws}({s}.{draws_alone})',
    'returns boolean language sql as $$ select {s}.{dice}(1) $$',
  ),
  'set search_path = {s}, pg_catalog;',
  ...bodies,
  'reset search_path;',
  ...others.map(([callable, rest]) => soundFunction(callable, rest)),
].join('\n')
