import { commented, soundTable } from './names.ts'
import type { PlantedFault } from './planted-fault.ts'

const foreignKey = (rule: string, name: string, onDelete: string, index: string): PlantedFault => ({
  rule,
  object: `foreign key {${name}_user} on {s}.{${name}}`,
  sql: `${soundTable(
    name,
    `, {user_id} uuid constraint {${name}_user} references pie_schema.users on update cascade ${onDelete} deferrable`,
  )}
    create index on {s}.{${name}} ${index};`,
})

const without = 'foreign-key-without-index'

export const faultsOfForeignKeys: PlantedFault[] = [
  foreignKey('foreign-key-without-on-delete', 'undecided', '', '({user_id})'),
  foreignKey(without, 'unindexed', 'on delete cascade', '({id}, {user_id})'),
  foreignKey(without, 'in_part', 'on delete cascade', '({user_id}) where {id} > 5'),
  foreignKey(
    without,
    'expressed',
    'on delete cascade',
    `(coalesce({user_id}, '00000000-0000-0000-0000-000000000000'))`,
  ),
  foreignKey(without, 'summed', 'on delete cascade', 'using brin ({user_id})'),
  {
    rule: without,
    object: 'foreign key {rooms_floor} on {s}.{rooms}',
    sql: `${soundTable('floors', ', {house} integer, {level} integer, unique ({house}, {level})')}
      ${soundTable('rooms', ', {house} integer, {door} integer, {level} integer')}
      alter table {s}.{rooms} add constraint {rooms_floor} foreign key ({house}, {level})
        references {s}.{floors} ({house}, {level}) on delete cascade;
      create index on {s}.{rooms} ({house}, {door}, {level});`,
  },
  {
    rule: without,
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
