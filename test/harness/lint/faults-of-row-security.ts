import { commented } from './names.ts'
import { inTable, type PlantedFault } from './planted-fault.ts'

export const faultsOfRowSecurity: PlantedFault[] = [
  {
    ...inTable(
      'table-without-row-level-security',
      'bare',
      `alter table {s}.{bare} disable row level security, no force row level security; grant select on {s}.{bare} to webuser;
    create policy {bare_all} on {s}.{bare} for select to webuser using (true);`,
    ),
    // They may only read it.
    weight: 'leak',
  },
  ...(['insert ({id})', 'select, update ({id})', 'select, delete'] as const).map((grant) => {
    const [name = ''] = /\w+(?=$| \()/.exec(grant) ?? []
    return inTable(
      'table-without-row-level-security',
      `bare_to_${name}`,
      `alter table {s}.{bare_to_${name}} disable row level security, no force row level security;
      grant ${grant} on {s}.{bare_to_${name}} to webuser;
      create policy {bare_own} on {s}.{bare_to_${name}} to webuser using (false) with check (false);`,
    )
  }),
  {
    rule: 'table-without-row-level-security',
    object: 'table {s}.{part}',
    // Nobody is granted it yet.
    weight: 'style',
    sql: `${commented('table', 'whole', '({id} integer primary key) partition by list ({id})')}
      create table {s}.{part} partition of {s}.{whole} default;
      alter table {s}.{whole} enable row level security, force row level security;
      create policy {whole_for_owner} on {s}.{whole} to current_user using (true);`,
  },
  // Whoever works with it would be shut out.
  ...(['select', 'insert ({id})', 'select, insert ({id}), update ({id}), delete'] as const).map(
    (grant, place) => ({
      ...inTable(
        'table-without-row-level-security',
        `worked_with_${place}`,
        `alter table {s}.{worked_with_${place}} disable row level security, no force row level security;
        grant ${grant} on {s}.{worked_with_${place}} to webuser;`,
      ),
      ...(place === 0 ? { weight: 'leak' as const } : {}),
      isByHand: true as const,
    }),
  ),
  // Of one of two there is nothing said.
  {
    ...inTable(
      'table-without-row-level-security',
      'half_bare',
      `alter table {s}.{half_bare} disable row level security, no force row level security;
      create policy {half_seen} on {s}.{half_bare} for select to webadmin using ({id} = 1);
      grant select on {s}.{half_bare} to webuser, webadmin;`,
    ),
    weight: 'leak',
    isByHand: true,
  },
  // Nobody is granted it yet.
  {
    ...inTable(
      'table-without-policy',
      'unheard',
      'drop policy {unheard_for_owner} on {s}.{unheard};',
    ),
    weight: 'style',
  },
  {
    ...inTable(
      'table-without-policy',
      'mute',
      'drop policy {mute_for_owner} on {s}.{mute}; grant select on {s}.{mute} to webuser;',
    ),
    brings: [{ rule: 'grant-without-policy', object: 'grant to webuser on table {s}.{mute}' }],
  },
  inTable(
    'row-level-security-not-forced',
    'unforced',
    `alter table {s}.{unforced} no force row level security;
    drop policy {unforced_for_owner} on {s}.{unforced};
    create policy {unforced_own} on {s}.{unforced} to webuser using (false);`,
  ),
]
