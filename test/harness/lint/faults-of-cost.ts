import { soundTable } from './names.ts'
import type { PlantedFault } from './planted-fault.ts'

const inIndex = (rule: string, name: string, sql: string, table = name): PlantedFault => ({
  rule,
  object: `index {s}.{${name}_index}`,
  sql: `${soundTable(table, ', {a} integer, {b} integer, {email} text')} ${sql}`,
})

/** What a superuser makes and gives to the owner of the databases that are linted. */
const made = (rule: string, name: string, sql: string): PlantedFault => ({
  ...inIndex(rule, name, ''),
  onOwnServer: `${soundTable(name, ', {a} integer, {b} integer, {email} text')} ${sql}
    alter table {s}.{${name}} owner to plain_owner;
    drop policy {${name}_for_owner} on {s}.{${name}};
    create policy {${name}_for_owner} on {s}.{${name}} to plain_owner using (true) with check (true);`,
  sql: 'select 1',
})

const invalid = (name: string): string => `
  update pg_index set indisvalid = false where indexrelid = '{'s}.{'${name}_index}'::regclass;`

const duplicate = 'index-duplicate'

export const faultsOfCost: PlantedFault[] = [
  made(
    'index-invalid',
    'unfinished',
    `create index {unfinished_index} on {s}.{unfinished} ({a});${invalid('unfinished')}`,
  ),
  {
    ...made(
      'index-invalid',
      'unpromised',
      `create unique index {unpromised_index} on {s}.{unpromised} (lower({email}));${invalid('unpromised')}`,
    ),
    weight: 'failure',
  },
  made(
    'index-invalid',
    'partly_built',
    `create index {partly_built_index} on {s}.{partly_built} ({b}) where {a} > 5;${invalid('partly_built')}`,
  ),
  inIndex(
    duplicate,
    'twice',
    'create index on {s}.{twice} ({a}, {b}); create index {twice_index} on {s}.{twice} ({a}, {b});',
  ),
  inIndex(
    duplicate,
    'lowered',
    `create unique index on {s}.{lowered} (lower({email})) where {a} is null;
     create index {lowered_index} on {s}.{lowered} (lower({email})) where {a} is null;`,
  ),
  // A constraint is dropped as one; and what a foreign key goes by stays.
  inIndex(
    duplicate,
    'keyed',
    'alter table {s}.{keyed} add constraint {keyed_index} unique ({id});',
  ),
  {
    rule: duplicate,
    object: 'index {s}.{referred_key}',
    sql: `${soundTable('referred', ', {a} integer not null, {b} integer')}
      create unique index {referred_index} on {s}.{referred} ({a});
      alter table {s}.{referred} add constraint {referred_self} foreign key ({b})
        references {s}.{referred} ({a}) on delete cascade;
      create index on {s}.{referred} ({b});
      alter table {s}.{referred} add constraint {referred_key} unique ({a});`,
  },
  inIndex(
    'index-begins-another',
    'short',
    'create index {short_index} on {s}.{short} ({a}); create index on {s}.{short} ({a}, {b} desc);',
  ),
  inIndex(
    'index-begins-another',
    'short_part',
    `create index {short_part_index} on {s}.{short_part} (lower({email})) where {b} > 5;
     create index on {s}.{short_part} (lower({email}), {a}) where {b} > 5;`,
  ),
  inIndex(
    'index-begins-another',
    'short_of_key',
    `create index {short_of_key_index} on {s}.{short_of_key} ({a});
     alter table {s}.{short_of_key} add unique ({a}, {b});`,
  ),
  ...['regproc', 'regconfig[]', '{s}.{reg_domain}'].map(
    (type, place): PlantedFault => ({
      rule: 'column-of-reg-type',
      object: `column {s}.{registered_${place}}.{kept}`,
      sql: `${place === 2 ? 'create domain {s}.{reg_domain} as regoperator;' : ''}
      ${soundTable(`registered_${place}`, `, {kept} ${type}`)}`,
      ...(place === 2 ? { isByHand: true } : {}),
    }),
  ),
  {
    rule: 'sequence-near-its-end',
    object: 'sequence {s}.{serial_numbers}',
    sql: `${soundTable('serial')} create sequence {s}.{serial_numbers} as integer owned by {s}.{serial}.{id};
      select setval('{'s}.{'serial_numbers}', 2000000000);`,
  },
  {
    rule: 'sequence-near-its-end',
    object: 'sequence {s}.{identity_numbers}',
    sql: `${soundTable('identified', ', {number} smallint generated always as identity (sequence name {s}.{identity_numbers})')}
      select setval('{'s}.{'identity_numbers}', 30000);`,
  },
  {
    // As large as a number can be, and still more than its column holds.
    rule: 'sequence-near-its-end',
    object: 'sequence {s}.{wide_numbers}',
    sql: `${soundTable('narrow')} create sequence {s}.{wide_numbers} owned by {s}.{narrow}.{id};
      select setval('{'s}.{'wide_numbers}', 1900000000);`,
  },
  ...['for select', 'for delete', ''].map(
    (command, place): PlantedFault => ({
      rule: 'several-permissive-policies',
      object: `table {s}.{doubled_${place}}`,
      sql: `${soundTable(`doubled_${place}`)}
      create policy {doubled_one} on {s}.{doubled_${place}} ${command} to webuser using ({id} = 1);
      create policy {doubled_two} on {s}.{doubled_${place}} ${command} to webuser using ({id} = 2);`,
      isByHand: true,
    }),
  ),
  ...['integer', 'integer unique not null', 'integer generated always as identity'].map(
    (type, place): PlantedFault => ({
      rule: 'table-without-primary-key',
      object: `table {s}.{keyless_${place}}`,
      sql: `create table {s}.{keyless_${place}} ({id} ${type});
        alter table {s}.{keyless_${place}} enable row level security, force row level security;
        create policy {keyless_for_owner} on {s}.{keyless_${place}} to current_user using (true);
        comment on table {s}.{keyless_${place}} is 'A table.'; comment on column {s}.{keyless_${place}}.{id} is 'A column.';`,
      isByHand: true,
    }),
  ),
]
