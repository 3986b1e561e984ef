import { soundTable } from './names.ts'
import type { PlantedFault } from './planted-fault.ts'

const rule = 'policy-column-without-index'

const me = '(select pie_schema.current_user_id())'
const myName = '(select pie_schema.current_user_id()::text)'

/** @param columns after the id, each after a comma @param object what is to be found, with its table */
const inPolicy = (
  table: string,
  columns: string,
  using: string,
  object = `column {s}.{${table}}.{owner_id}`,
  besides = '',
): PlantedFault => ({
  rule,
  object,
  sql: `${soundTable(table, columns)} ${besides}
    create policy {${table}_own} on {s}.{${table}} to webuser using (${using});`,
})

const owned = ', {owner_id} uuid'
const isMine = `{owner_id} = ${me}`

export const faultsOfPolicyColumns: PlantedFault[] = [
  {
    rule,
    object: 'column {s}.{sought}.{owner_id}',
    sql: `${soundTable('sought', ', {owner_id} uuid, {kind} varchar(9)')}
      create policy {sought_own} on {s}.{sought} to webuser
        using (${me} = {owner_id} and {kind} = 'own');`,
  },
  {
    rule,
    object: 'column {s}.{looked_up}.{reader_id}',
    sql: `${soundTable('looked_up', ', {reader_id} integer')} ${soundTable('looking_up')}
      create policy {looking_up_own} on {s}.{looking_up} to webuser using (exists (
        select from {s}.{looked_up} as l where l.{reader_id} = {looking_up}.{id}
      ));`,
  },
  inPolicy('listed', owned, `{owner_id} = any (array[${me}, null])`),
  inPolicy(
    'cased',
    ', {email} text',
    `lower({email}) = ${myName}`,
    'expression lower({email}) on {s}.{cased}',
    'create index on {s}.{cased} ({email});',
  ),
  inPolicy(
    'documented',
    ', {data} jsonb',
    `({data} ->> 'owner') = ${myName}`,
    `expression ({data} ->> 'owner') on {s}.{documented}`,
    'create index on {s}.{documented} using gin ({data});',
  ),
  inPolicy(
    'tagged',
    ', {tags} text[]',
    `{tags} @> array[${myName}]`,
    'column {s}.{tagged}.{tags}',
    'create index on {s}.{tagged} ({tags});',
  ),
  inPolicy(
    'spanned',
    ', {days} daterange',
    `{days} @> (select current_date)`,
    'column {s}.{spanned}.{days}',
  ),
  // Indexes that do not help: on part of the rows, of a later column, beside the key, of another order.
  inPolicy(
    'partly',
    `${owned}, {is_done} boolean, {closed_at} timestamptz`,
    `${isMine} and not {is_done}`,
    undefined,
    `create index on {s}.{partly} ({owner_id}) where {is_done};
     create index on {s}.{partly} ({owner_id}) where {closed_at} is null;`,
  ),
  inPolicy(
    'later',
    owned,
    isMine,
    undefined,
    'create index on {s}.{later} ({id}, {owner_id}); create unique index on {s}.{later} ({id}) include ({owner_id}) where {id} > 5;',
  ),
  inPolicy(
    'collated',
    ', {key} text',
    `{key} = ${myName}`,
    'column {s}.{collated}.{key}',
    'create index on {s}.{collated} ({key} collate "C");',
  ),
  // text = name goes by the collation of name.
  inPolicy(
    'named',
    ', {key} text',
    `{key} = (select relname from pg_catalog.pg_class where oid = 1259)`,
    'column {s}.{named}.{key}',
    'create index on {s}.{named} ({key});',
  ),
  {
    ...inPolicy('either', `${owned}, {helper_id} uuid`, `${isMine} or {helper_id} = ${me}`),
    also: [{ rule, object: 'column {s}.{either}.{helper_id}' }],
  },
  {
    rule,
    object: 'column {s}.{members}.{user_id}',
    sql: `${soundTable('teams', ', {name} text')} ${soundTable('members', ', {team_id} integer, {user_id} uuid')}
      create policy {teams_own} on {s}.{teams} to webuser using ({id} in (
        select m.{team_id} from {s}.{members} as m join {s}.{listed} as l on l.{id} = m.{team_id} where m.{user_id} = ${me}
      ));`,
  },
  {
    rule,
    object: 'column {s}.{divided}.{owner_id}',
    sql: `create table {s}.{divided} ({id} integer, {owner_id} uuid) partition by list ({id});
      create table {s}.{divided_rest} partition of {s}.{divided} default;
      comment on table {s}.{divided} is 'A table.'; comment on column {s}.{divided}.{id} is 'A column.';
      comment on column {s}.{divided}.{owner_id} is 'A column.';
      alter table {s}.{divided} enable row level security, force row level security;
      alter table {s}.{divided_rest} enable row level security, force row level security;
      create policy {divided_for_owner} on {s}.{divided} to current_user using (true);
      create policy {divided_own} on {s}.{divided} to webuser using (${isMine});`,
  },
]
