import { commented, soundTable } from './names.ts'
import type { PlantedFault } from './planted-fault.ts'

const foreignKey = (rule: string, name: string, onDelete: string, index: string): PlantedFault => ({
  rule,
  object: `foreign key {${name}_user} on {s}.{${name}}`,
  sql: `${soundTable(
    name,
    `, {user_id} uuid constraint {${name}_user} references pie_schema.users on update cascade ${onDelete} deferrable`,
  )}
    create index on {s}.{${name}} (${index});`,
})

export const faultsOfForeignKeys: PlantedFault[] = [
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
]
