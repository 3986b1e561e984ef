import { soundTable } from './names.ts'
import { granted, inTable, type PlantedFault } from './planted-fault.ts'

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
  granted('select-lists-columns', 'listed', 'select ({id})'),
  granted('insert-on-whole-table', 'filled', 'insert'),
  granted('update-on-whole-table', 'changed', 'update'),
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
  inTable('without-comment', 'silent', 'comment on table {s}.{silent} is null;'),
  {
    rule: 'without-comment',
    object: 'column {s}.{quiet}.{id}',
    sql: `${soundTable('quiet')} comment on column {s}.{quiet}.{id} is null;`,
  },
]
