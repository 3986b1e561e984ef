import { commented, soundTable } from './names.ts'
import type { PlantedFault } from './planted-faults.ts'

const inTable = (rule: string, name: string, sql: string): PlantedFault => ({
  rule,
  object: `table {s}.{${name}}`,
  sql: soundTable(name) + sql,
})

const granted = (rule: string, name: string, grant: string, role = 'webuser'): PlantedFault => ({
  rule,
  object: `grant to ${role} on table {s}.{${name}}`,
  sql: `${soundTable(name, ', {body} text, {number} integer generated always as identity')}
    grant ${grant} on {s}.{${name}} to ${role};`,
})

const foreignKey = (rule: string, name: string, onDelete: string, index: string): PlantedFault => ({
  rule,
  object: `foreign key {${name}_user} on {s}.{${name}}`,
  sql: `${soundTable(
    name,
    `, {user_id} uuid constraint {${name}_user} references pie_schema.users on update cascade ${onDelete} deferrable`,
  )}
    create index on {s}.{${name}} (${index});`,
})

export const faultsOfTables: PlantedFault[] = [
  inTable(
    'table-without-row-level-security',
    'bare',
    'alter table {s}.{bare} disable row level security, no force row level security;',
  ),
  {
    rule: 'table-without-row-level-security',
    object: 'table {s}.{part}',
    sql: `${commented('table', 'whole', '({id} integer) partition by list ({id})')}
      create table {s}.{part} partition of {s}.{whole} default;
      alter table {s}.{whole} enable row level security, force row level security;
      create policy {whole_for_owner} on {s}.{whole} to current_user using (true);`,
  },
  inTable(
    'table-without-policy',
    'mute',
    'drop policy {mute_for_owner} on {s}.{mute}; grant select on {s}.{mute} to webuser;',
  ),
  inTable(
    'row-level-security-not-forced',
    'unforced',
    `alter table {s}.{unforced} no force row level security;
    drop policy {unforced_for_owner} on {s}.{unforced};
    create policy {unforced_own} on {s}.{unforced} to webuser using (false);`,
  ),
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
  granted('granted-to-public', 'published', 'select', 'public'),
  granted('grant-past-policies', 'emptied', 'truncate, references'),
  granted('select-lists-columns', 'listed', 'select ({id})'),
  granted('insert-on-whole-table', 'filled', 'insert'),
  granted('update-on-whole-table', 'changed', 'update'),
  {
    rule: 'foreign-table-granted',
    object: 'grant to webuser on foreign table {s}.{far}',
    sql: `${commented('foreign table', 'far', '({id} integer) server nowhere')}
      grant select on {s}.{far} to webuser;`,
  },
  {
    rule: 'materialized-view-granted',
    object: 'grant to webuser on materialized view {s}.{kept}',
    sql: `${commented('materialized view', 'kept', 'as select 1 as {id}')}
      grant select on {s}.{kept} to webuser;`,
  },
  {
    rule: 'view-not-security-invoker',
    object: 'view {s}.{seen}',
    sql: commented(
      'view',
      'seen',
      'with (security_invoker = off, security_barrier) as select 1 as {id}',
    ),
  },
  foreignKey('foreign-key-without-on-delete', 'undecided', '', '{user_id}'),
  foreignKey('foreign-key-without-index', 'unindexed', 'on delete cascade', '{id}, {user_id}'),
  {
    rule: 'foreign-key-without-index',
    object: 'foreign key {journal_user} on {s}.{journal}',
    sql: `${commented('table', 'journal', '({id} integer) partition by list ({id})')}
      alter table {s}.{journal} add column {user_id} uuid
        constraint {journal_user} references pie_schema.users on delete cascade;
      comment on column {s}.{journal}.{user_id} is 'A column.';
      create table {s}.{journal_rest} partition of {s}.{journal} default;
      alter table {s}.{journal} enable row level security, force row level security;
      alter table {s}.{journal_rest} enable row level security, force row level security;
      create policy {journal_for_owner} on {s}.{journal} to current_user using (true);`,
  },
  inTable(
    'permission-in-comment',
    'hidden',
    `comment on table {s}.{hidden} is E'@omit delete\\n@behavior +select -insert\\nA \\\\ table, it''s.';`,
  ),
  {
    rule: 'permission-in-comment',
    object: 'constraint {veiled_key} on {s}.{veiled}',
    sql: `${soundTable('veiled')}
      alter table {s}.{veiled} add constraint {veiled_key} check (true);
      comment on constraint {veiled_key} on {s}.{veiled} is '@omit';`,
  },
  inTable('without-comment', 'silent', 'comment on table {s}.{silent} is null;'),
  {
    rule: 'without-comment',
    object: 'column {s}.{quiet}.{id}',
    sql: `${soundTable('quiet')} comment on column {s}.{quiet}.{id} is null;`,
  },
]
