import type { Weight } from '../../../advisor/src/lint/weight.ts'
import { me, ownedTable, writing } from './owned-table.ts'
import type { Expected, PlantedFault } from './planted-fault.ts'

/** A policy of a table of its own, with what else stands on that table. */
interface Faulty {
  table: string
  /** What comes after `on {s}.{table}`. */
  policy: string
  rights?: string
  columns?: string
  /** SQL before the policy, and after it. */
  before?: string
  after?: string
  weight?: Weight
  isByHand?: true
  also?: readonly Expected[]
}

export const faultyPolicy =
  (rule: string) =>
  ({
    table,
    policy,
    rights = 'select',
    columns,
    before = '',
    after = '',
    ...rest
  }: Faulty): PlantedFault => ({
    rule,
    object: `policy {${table}_own} on {s}.{${table}}`,
    sql: `${ownedTable(table, columns, rights)} ${before}
      create policy {${table}_own} on {s}.{${table}} ${policy}; ${after}`,
    ...rest,
  })

const all = `select;${writing}`
const mine = `{owner_id} = ${me}`
const letEverybodyWrite: Faulty[] = [
  { table: 'wide', policy: 'to webuser using (true)', rights: all },
  {
    table: 'wide_for_one',
    after: `create policy {wide_for_one_see} on {s}.{wide_for_one} for select to webuser using (${mine});`,
    policy: 'for update to webuser using (1 = 1) with check (true)',
    rights: 'select;update ({body})',
  },
  {
    table: 'wide_in_disguise',
    after: `create policy {wide_in_disguise_see} on {s}.{wide_in_disguise} for select to webuser using (${mine});`,
    policy: `for delete to webuser using (${mine} or {id} = {id})`,
    rights: 'select;delete',
    also: [
      {
        rule: 'column-compared-with-itself',
        object: 'policy {wide_in_disguise_own} on {s}.{wide_in_disguise}',
      },
    ],
  },
  {
    table: 'wide_signed_in',
    after: `create policy {wide_signed_in_see} on {s}.{wide_signed_in} for select to webuser using (${mine});`,
    policy: `for update to webuser using (${me} is not null)`,
    rights: 'select;update ({body})',
  },
  {
    table: 'wide_signed_in_add',
    after: `create policy {wide_signed_in_add_see} on {s}.{wide_signed_in_add} for select to webuser using (${mine});`,
    policy: `for insert to webuser with check (${me} is not null)`,
    rights: 'select;insert ({id}, {owner_id}, {body})',
  },
  {
    table: 'wide_by_case',
    after: `create policy {wide_by_case_see} on {s}.{wide_by_case} for select to webuser using (${mine});`,
    policy: `for delete to webuser using (case when {is_open} then true else ${mine} end)`,
    rights: 'select;delete',
  },
  { table: 'wide_by_column', policy: `to webuser using ({is_open} or ${mine})`, rights: all },
  {
    table: 'wide_by_check',
    policy: 'for insert to webuser with check (coalesce(true, false))',
    rights: 'select;insert ({id}, {owner_id}, {body})',
    after: `create policy {wide_by_check_see} on {s}.{wide_by_check} for select to webuser using (${mine});`,
  },
  {
    table: 'wide_by_role',
    after: `create policy {wide_by_role_see} on {s}.{wide_by_role} for select to webuser using (${mine});`,
    policy: `for delete to webuser using (current_user in ('webuser', 'webadmin'))`,
    rights: 'select;delete',
  },
  {
    table: 'wide_not_null',
    after: `create policy {wide_not_null_see} on {s}.{wide_not_null} for select to webuser using (${mine});`,
    policy: 'for delete to webuser using ({owner_id} is not null)',
    rights: 'select;delete',
  },
  {
    table: 'wide_for_admins',
    policy: 'for delete to webadmin using (true)',
    rights: 'select;delete',
    after: `create policy {wide_for_admins_mine} on {s}.{wide_for_admins} to webuser using (${mine});`,
  },
  {
    table: 'letters',
    weight: 'leak',
    before: 'alter table {s}.{letters} alter column {owner_id} drop not null;',
    policy: 'for insert to webuser with check (true)',
    rights: 'insert ({id}, {body})',
  },
]

const trustRole: Faulty[] = [
  {
    table: 'seen_by_admins',
    policy: 'for select to webadmin using (true)',
    after: `create policy {seen_by_admins_mine} on {s}.{seen_by_admins} for select to webuser using (${mine});`,
  },
  {
    table: 'closed_to_admins',
    policy: 'for select to webadmin using (not {is_open})',
    after: `create policy {closed_to_admins_mine} on {s}.{closed_to_admins} to webuser using (${mine});`,
  },
  {
    table: 'named_for_admins',
    policy: `for select to webadmin using (current_user = 'webadmin' or {is_open})`,
    also: [
      {
        rule: 'policy-always-true',
        object: 'policy {named_for_admins_own} on {s}.{named_for_admins}',
        weight: 'style',
      },
    ],
    after: `create policy {named_for_admins_mine} on {s}.{named_for_admins} for select to webuser using (${mine});`,
  },
]

const openToNobody: Faulty[] = [
  { table: 'nameless', policy: `for select to webuser using (${me} is null or ${mine})` },
  { table: 'nameless_by_default', policy: `for select to webuser using (coalesce(${mine}, true))` },
  { table: 'nameless_unless', policy: `for select to webuser using ((${mine}) is not false)` },
  {
    table: 'nameless_by_case',
    policy: `for select to webuser using (case when ${me} is null then true else ${mine} end)`,
  },
]

const letInAllButOne: Faulty[] = [
  { table: 'of_others', policy: `for select to webuser using ({owner_id} <> ${me})` },
  { table: 'not_mine', policy: `for select to webuser using (not ({owner_id} = ${me}))` },
  {
    table: 'of_others_open',
    policy: `for select to webuser using ({is_open} and ${me} is distinct from {owner_id})`,
  },
]

const givenAway: Faulty[] = [
  {
    table: 'given',
    policy: `for update to webuser using (${mine}) with check (true)`,
    rights: 'select;update ({owner_id}, {body})',
    after: `create policy {given_see} on {s}.{given} for select to webuser using (${mine});`,
  },
  {
    table: 'given_by_length',
    policy: `for update to webuser using (${mine}) with check (length({body}) < 100)`,
    rights: 'select;update ({owner_id}, {body})',
    after: `create policy {given_by_length_see} on {s}.{given_by_length} for select to webuser using (${mine});`,
  },
  {
    table: 'given_to_editor',
    weight: 'leak',
    columns: ', {editor_id} uuid not null references pie_schema.users on delete cascade',
    before: 'create index on {s}.{given_to_editor} ({editor_id});',
    policy: `for update to webuser using (${mine}) with check ({editor_id} = ${me})`,
    rights: 'select;update ({owner_id}, {body})',
    after: `create policy {given_to_editor_see} on {s}.{given_to_editor} for select to webuser using (${mine});`,
  },
  {
    table: 'given_in_time',
    weight: 'style',
    policy: `for update to webuser using (${mine}) with check (true)`,
    rights: 'select;update ({body})',
    after: `create policy {given_in_time_see} on {s}.{given_in_time} for select to webuser using (${mine});`,
  },
]

const voidOthers: Faulty[] = [
  {
    table: 'voiding',
    policy: 'for select to webuser using (true)',
    after: `create policy {voiding_mine} on {s}.{voiding} for select to webuser using (${mine});`,
  },
  {
    table: 'voiding_all',
    policy: 'to webuser using (1 = 1)',
    after: `create policy {voiding_all_mine} on {s}.{voiding_all} for select to webadmin using (${mine});`,
  },
  {
    table: 'voiding_below',
    policy: 'for select to webuser using (true)',
    after: `create policy {voiding_below_mine} on {s}.{voiding_below} for select to webadmin using (${mine} or not {is_open} and ${me} is not null);`,
  },
]

const alwaysTrue: Faulty[] = [
  { table: 'swallowed', policy: `for select to webuser using (${mine} or true)` },
  { table: 'never_null', policy: 'for select to webuser using ({owner_id} is not null)' },
  { table: 'by_default', policy: `for select to webuser using (coalesce(true, ${mine}))` },
  {
    table: 'one_or_other',
    policy: 'for select to webuser using ({is_open} or not {is_open})',
    weight: 'leak',
  },
  {
    table: 'by_role_name',
    policy: `for select to webuser using (current_user in ('webuser', 'webadmin'))`,
    weight: 'style',
  },
]

const rowsOfNobody: Faulty[] = [
  {
    table: 'nobodys',
    columns: ', {keeper_id} uuid references pie_schema.users on delete set null',
    before: 'create index on {s}.{nobodys} ({keeper_id});',
    policy: `for select to webuser using ({keeper_id} is null or {keeper_id} = ${me})`,
  },
  {
    table: 'nobodys_to_take',
    weight: 'hole',
    columns: ', {keeper_id} uuid references pie_schema.users on delete cascade',
    before: 'create index on {s}.{nobodys_to_take} ({keeper_id});',
    policy: `to webuser using ({keeper_id} = ${me} or {keeper_id} is null)`,
    rights: 'select;delete',
  },
  {
    table: 'nobodys_same',
    columns: ', {keeper_id} uuid references pie_schema.users on delete set null',
    before: 'create index on {s}.{nobodys_same} ({keeper_id});',
    policy: `for select to webuser using ({keeper_id} is not distinct from ${me})`,
  },
  {
    table: 'nobodys_by_default',
    columns: ', {keeper_id} uuid references pie_schema.users on delete set null',
    before: 'create index on {s}.{nobodys_by_default} ({keeper_id});',
    policy: `for select to webuser using (coalesce({keeper_id}, ${me}) = ${me})`,
  },
]

const contradictThemselves: Faulty[] = [
  { table: 'impossible', policy: `for select to webuser using (${mine} and {owner_id} <> ${me})` },
  {
    table: 'impossible_null',
    policy: `for select to webuser using (${mine} and {owner_id} is null)`,
  },
  {
    table: 'written_away',
    policy: `to webuser using (${mine} and {kind} = 'draft') with check (${mine} and {kind} = 'final')`,
    columns: ", {kind} text not null default 'draft'",
    rights: 'select;insert ({id}, {owner_id}, {kind});update ({body})',
  },
  {
    table: 'never_changed',
    policy: `for update to webuser using (${mine} and {kind} = 1) with check (${mine} and {kind} = 2)`,
    columns: ', {kind} integer not null default 1',
    rights: 'select;update ({body})',
    after: `create policy {never_changed_see} on {s}.{never_changed} for select to webuser using (${mine});`,
  },
]

/** Policies that ask nobody, or let in whom they ask not. */
export const faultsOfAsking: PlantedFault[] = [
  ...letEverybodyWrite.map(faultyPolicy('policy-lets-everybody-write')),
  ...trustRole.map(faultyPolicy('policy-trusts-role')),
  ...openToNobody.map(faultyPolicy('policy-open-to-nobody')),
  ...letInAllButOne.map(faultyPolicy('policy-lets-in-all-but-one')),
  ...givenAway.map(faultyPolicy('row-can-be-given-away')),
  ...voidOthers.map(faultyPolicy('policy-voids-another')),
  ...alwaysTrue.map(faultyPolicy('policy-always-true')),
  ...rowsOfNobody.map(faultyPolicy('policy-shows-rows-of-nobody')),
  ...contradictThemselves.map(faultyPolicy('policy-contradicts-itself')),
]
