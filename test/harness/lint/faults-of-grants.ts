import { commented, ownTable, soundFunction, soundTable } from './names.ts'
import { granted, inTable, type PlantedFault } from './planted-fault.ts'

/** Teams, and which of them are led by who asks. */
const led = `
  ${ownTable('led', '', 'select').replace('uuid unique', 'uuid')}
  create index on {s}.{led} ({owner_id});
  ${soundFunction(
    '{led_by_me}()',
    `returns setof integer language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$ begin
      return query select l.{id} from {s}.{led} as l where l.{owner_id} = pie_schema.current_user_id();
    end $$`,
  )}
  ${soundFunction(
    '{is_led_by_me}(integer)',
    `returns boolean language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$ begin
      return exists (select from {s}.{led} as l where l.{id} = $1 and l.{owner_id} = pie_schema.current_user_id());
    end $$`,
  )}
  grant execute on function {s}.{led_by_me}(), {s}.{is_led_by_me}(integer) to webuser;`

export const faultsOfGrants: PlantedFault[] = [
  inTable(
    'owned-by-role-of-requests',
    'lost',
    `grant create on schema {s} to webuser;
    alter table {s}.{lost} owner to webuser;
    revoke create on schema {s} from webuser;`,
  ),
  {
    rule: 'schema-open-to-role-of-requests',
    object: 'grant to cream on schema {s}',
    sql: 'grant create on schema {s} to cream;',
  },
  granted('trigger-granted', 'triggered', 'trigger', 'webadmin'),
  { ...granted('granted-to-public', 'published', 'select', 'public'), weight: 'style' },
  granted('grant-past-policies', 'emptied', 'truncate, references'),
  granted('select-lists-columns', 'listed', 'select ({id}, {owner_id})'),
  granted('insert-on-whole-table', 'filled', 'insert'),
  granted('update-on-whole-table', 'changed', 'select, update'),
  granted('insert-on-whole-table', 'counted', 'insert'),
  {
    rule: 'insert-on-whole-table',
    object: 'grant to webuser on table {s}.{only_numbers}',
    sql: `${soundTable('only_numbers').replace('integer primary key', 'integer generated always as identity primary key')}
      create policy {only_numbers_by_all} on {s}.{only_numbers} for insert to webuser
        with check ((select pie_schema.current_user_id()) is not null);
      grant insert on {s}.{only_numbers} to webuser;`,
  },
  {
    rule: 'update-on-whole-table',
    object: 'grant to webuser on table {s}.{self_made}',
    weight: 'hole',
    sql: ownTable('self_made', ', is_admin boolean', 'select, update'),
  },
  {
    rule: 'update-on-whole-table',
    object: 'grant to webuser on table {s}.{self_paid}',
    weight: 'hole',
    sql: ownTable('self_paid', ', credits integer, role text', 'select, update'),
  },
  {
    rule: 'update-on-whole-table',
    object: 'grant to webuser on table {s}.{chats}',
    sql: `${ownTable('chats', ', role text', 'select, update').replace('uuid unique', 'uuid')}
      create index on {s}.{chats} ({owner_id});`,
  },
  // What somebody else's team says of a row does not make it one's own.
  ...[
    `{team_id} in (select {s}.{led_by_me}())`,
    `{s}.{is_led_by_me}({team_id})`,
    `exists (select from {s}.{led} as l where l.{id} = {team_id} and l.{owner_id} = (select pie_schema.current_user_id()))`,
    `{team_id} = any (array(select {s}.{led_by_me}()))`,
  ].map((using, place) => ({
    rule: 'update-on-whole-table',
    object: `grant to webuser on table {s}.{members_${place}}`,
    sql: `${place === 0 ? led : ''}
      ${soundTable(`members_${place}`, ', {team_id} integer, {user_id} uuid, role text, unique ({team_id}, {user_id})')}
      create policy {members_led} on {s}.{members_${place}} to webuser using (${using}) with check (${using});
      grant select, update on {s}.{members_${place}} to webuser;`,
  })),
  // One's own, whatever else lets one in.
  ...[
    `{owner_id} = (select pie_schema.current_user_id()) or {s}.{is_led_by_me}({id})`,
    `{owner_id} = (select pie_schema.current_user_id()) and {s}.{is_led_by_me}({id})`,
  ].map((using, place) => ({
    rule: 'update-on-whole-table',
    object: `grant to webuser on table {s}.{own_${place}}`,
    weight: 'hole' as const,
    sql: `${soundTable(`own_${place}`, ', {owner_id} uuid unique, role text')}
      create policy {own_any} on {s}.{own_${place}} to webuser using (${using}) with check (${using});
      grant select, update on {s}.{own_${place}} to webuser;`,
  })),
  // What a role may become was thought of.
  {
    rule: 'update-on-whole-table',
    object: 'grant to webuser on table {s}.{stays_member}',
    sql: `${soundTable('stays_member', ', {owner_id} uuid unique, role text')}
      create policy {stays} on {s}.{stays_member} to webuser using ({owner_id} = (select pie_schema.current_user_id()))
        with check ({owner_id} = (select pie_schema.current_user_id()) and role = 'member');
      grant select, update on {s}.{stays_member} to webuser;`,
  },
  {
    rule: 'granted-to-public',
    object: 'grant to public on table {s}.{seen_by_all}',
    sql: `${soundTable('seen_by_all')}
      drop policy {seen_by_all_for_owner} on {s}.{seen_by_all};
      create policy {seen_by_all_any} on {s}.{seen_by_all} for select using ({id} < 7);
      grant select on {s}.{seen_by_all} to public;`,
    also: [{ rule: 'policy-to-public', object: 'policy {seen_by_all_any} on {s}.{seen_by_all}' }],
  },
  {
    rule: 'granted-to-public',
    object: 'grant to public on sequence {s}.{tickets}',
    weight: 'style',
    sql: 'create sequence {s}.{tickets}; grant usage on sequence {s}.{tickets} to public;',
  },
  {
    rule: 'granted-to-public',
    object: 'grant to public on sequence {s}.{turned}',
    sql: 'create sequence {s}.{turned}; grant update on sequence {s}.{turned} to public;',
    also: [
      {
        rule: 'sequence-can-be-set',
        object: 'grant of update to public on sequence {s}.{turned}',
      },
    ],
  },
  {
    rule: 'granted-with-grant-option',
    object: 'grant to webuser on table {s}.{passed_on}',
    sql: `${ownTable('passed_on', '', 'select')}
      grant select, delete on {s}.{passed_on} to webuser with grant option;`,
  },
  {
    rule: 'granted-with-grant-option',
    object: 'grant to webuser on sequence {s}.{passed}',
    sql: 'create sequence {s}.{passed}; grant usage on sequence {s}.{passed} to webuser with grant option;',
  },
  {
    rule: 'granted-with-grant-option',
    object: 'grant to webuser on table {s}.{partly}',
    sql: `${ownTable('partly', ', {body} text', 'select')}
      grant update ({body}) on {s}.{partly} to webuser with grant option;`,
  },
  {
    rule: 'grant-to-login-role',
    object: 'grant to cream on table {s}.{before}',
    weight: 'style',
    sql: `${ownTable('before', '', 'select')} grant trigger on {s}.{before} to cream;`,
    also: [{ rule: 'trigger-granted', object: 'grant to cream on table {s}.{before}' }],
  },
  {
    rule: 'grant-to-login-role',
    object: 'grant to cream on table {s}.{early}',
    sql: `${soundTable('early')}
      create policy {early_few} on {s}.{early} for select to cream using ({id} = 1);
      grant select on {s}.{early} to cream;`,
    also: [{ rule: 'policy-to-login-role', object: 'policy {early_few} on {s}.{early}' }],
  },
  {
    rule: 'grant-to-login-role',
    object: 'grant to cream on view {s}.{early_view}',
    sql: `${commented('view', 'early_view', 'with (security_invoker) as select 1 as {id}')}
      grant select on {s}.{early_view} to cream;`,
  },
  {
    rule: 'grant-to-nobody',
    object: 'grant to idle on table {s}.{served}',
    onOwnServer: 'create role idle; grant usage on schema {s} to idle',
    sql: `${soundTable('served')}
      create policy {served_few} on {s}.{served} for select to idle using ({id} = 1);
      grant select on {s}.{served} to idle;`,
    cleanUp: 'drop owned by idle; drop role idle',
  },
  // Of nobody, a policy that no grant goes with refuses nobody anything.
  {
    rule: 'policy-without-grant',
    object: 'policy {idle_own} on {s}.{unserved}',
    weight: 'style',
    onOwnServer: 'create role idle_too',
    sql: `${ownTable('unserved', '', 'select')}
      create policy {idle_own} on {s}.{unserved} for select to idle_too using ({id} = 1);`,
    cleanUp: 'drop owned by idle_too; drop role idle_too',
  },
  // Without policies there is nothing to go past.
  {
    rule: 'grant-past-policies',
    object: 'grant to webuser on table {s}.{ungoverned}',
    weight: 'style',
    sql: `${ownTable('ungoverned', '', 'select')} grant truncate on {s}.{ungoverned} to webuser;
      alter table {s}.{ungoverned} disable row level security, no force row level security;`,
    also: [
      {
        rule: 'table-without-row-level-security',
        object: 'table {s}.{ungoverned}',
        weight: 'leak',
        // With policies, there is.
        brings: [
          { rule: 'grant-past-policies', object: 'grant to webuser on table {s}.{ungoverned}' },
        ],
      },
    ],
  },
  {
    rule: 'grant-on-generated-column',
    object: 'grant to webuser on column {s}.{shouts}.{loud}',
    sql: `${ownTable('shouts', ', {body} text, {loud} text generated always as (upper({body})) stored', 'select')}
      grant insert ({id}, {owner_id}, {body}), update ({body}, {loud}) on {s}.{shouts} to webuser;`,
  },
  {
    rule: 'grant-on-generated-column',
    object: 'grant to webuser on column {s}.{numbered}.{number}',
    sql: `${ownTable('numbered', ', {number} integer generated always as identity', 'select')}
      grant insert ({id}, {owner_id}, {number}) on {s}.{numbered} to webuser;`,
  },
  {
    ...inTable(
      'permission-in-comment',
      'hidden',
      `comment on table {s}.{hidden} is E'@omit delete\\n@behavior +select -insert\\nA \\\\ table, it''s.';`,
    ),
    weight: 'style',
  },
  {
    rule: 'permission-in-comment',
    object: 'constraint {veiled_key} on {s}.{veiled}',
    weight: 'style',
    sql: `${soundTable('veiled')}
      alter table {s}.{veiled} add constraint {veiled_key} check (true);
      comment on constraint {veiled_key} on {s}.{veiled} is '@omit';`,
  },
  {
    ...inTable('without-comment', 'silent', 'comment on table {s}.{silent} is null;'),
    isByHand: true,
  },
  {
    rule: 'without-comment',
    object: 'column {s}.{quiet}.{id}',
    isByHand: true,
    sql: `${soundTable('quiet')} comment on column {s}.{quiet}.{id} is null;`,
  },
]
