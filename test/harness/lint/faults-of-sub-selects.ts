import { faultyPolicy } from './faults-of-asking.ts'
import { soundFunction, soundTable } from './names.ts'
import { me } from './owned-table.ts'
import type { PlantedFault } from './planted-fault.ts'

/** Teams, and who is in which, whose rows are shown to everybody; made by the first fault. */
const teams = `${soundTable('teams', ', {title} text')}
  grant select on {s}.{teams} to webuser;
  create policy {teams_all} on {s}.{teams} for select to webuser using (true);
  ${soundTable(
    'members',
    `, {team_id} integer not null references {s}.{teams} on delete cascade,
    {user_id} uuid not null references pie_schema.users on delete cascade, unique ({team_id}, {user_id})`,
  )}
  create index on {s}.{members} ({user_id}, {team_id});
  grant select on {s}.{members} to webuser;
  create policy {members_all} on {s}.{members} for select to webuser using (true);`

const inTeam = ', {team_id} integer references {s}.{teams} on delete cascade'
const byTeam = (table: string) => `create index on {s}.{${table}} ({team_id});`

const faulty = (rule: string, table: string, using: string) =>
  faultyPolicy(rule)({
    table,
    columns: inTeam,
    before: byTeam(table),
    policy: `for select to webuser using (${using})`,
  })

const [first, ...others] = [
  faulty(
    'column-compared-with-itself',
    'unqualified',
    `exists (select from {s}.{members} as m where m.{team_id} = {team_id} and m.{user_id} = ${me})`,
  ),
  faulty(
    'column-compared-with-itself',
    'unqualified_in',
    `{id} in (select m.{id} from {s}.{members} as m where {team_id} = m.{team_id} and m.{user_id} = ${me})`,
  ),
  faulty(
    'column-compared-with-itself',
    'unqualified_cast',
    `exists (select from {s}.{members} as m join {s}.{teams} as t on t.{id} = m.{team_id} where m.{team_id}::text = {team_id}::text and m.{user_id} = ${me})`,
  ),
  faulty('column-compared-with-itself', 'own', `{owner_id} = {owner_id} and {owner_id} = ${me}`),

  faulty(
    'sub-select-answers-with-the-row',
    'from_around',
    `${me} is not null and {owner_id} in (select {owner_id} from {s}.{teams})`,
  ),
  faulty(
    'sub-select-answers-with-the-row',
    'from_around_array',
    `${me} is not null and {owner_id} = any (array (select {owner_id} from {s}.{teams}))`,
  ),
  faulty(
    'sub-select-answers-with-the-row',
    'from_around_other',
    `${me} is not null and {id} in (select {from_around_other}.{team_id} from {s}.{teams} as t where t.{id} > 0)`,
  ),

  faulty(
    'membership-of-anybody',
    'by_anybody',
    `exists (select from {s}.{members} as m where m.{team_id} = {by_anybody}.{team_id})`,
  ),
  faulty(
    'membership-of-anybody',
    'by_anybody_in',
    '{team_id} in (select m.{team_id} from {s}.{members} as m)',
  ),
  faulty(
    'membership-of-anybody',
    'by_anybody_array',
    '{team_id} = any (array (select m.{team_id} from {s}.{members} as m))',
  ),

  faulty('membership-of-anybody', 'by_any_row', `exists (select from {s}.{members})`),
  faulty(
    'membership-of-anybody',
    'by_count',
    `(select count(*) from {s}.{members} as m where m.{team_id} = {by_count}.{team_id}) > 0`,
  ),
  faulty(
    'membership-of-anybody',
    'by_bool_or',
    `(select bool_or(m.{team_id} = {by_bool_or}.{team_id}) from {s}.{members} as m)`,
  ),
  faulty(
    'membership-of-anybody',
    'by_union',
    `{team_id} in (select m.{team_id} from {s}.{members} as m where m.{user_id} = ${me} union select m.{team_id} from {s}.{members} as m)`,
  ),
  faulty(
    'membership-of-anybody',
    'by_outer_join',
    `exists (select from {s}.{members} as m left join {s}.{members} as n on n.{id} = m.{id} and n.{user_id} = ${me} where m.{team_id} = {by_outer_join}.{team_id})`,
  ),
  faulty(
    'membership-of-anything',
    'torn',
    `exists (select from {s}.{members} as m, {s}.{members} as n where m.{team_id} = {torn}.{team_id} and n.{user_id} = ${me})`,
  ),
  faulty(
    'column-compared-with-itself',
    'unqualified_list',
    `exists (select from {s}.{members} as m where m.{team_id} = any (array[{team_id}]) and m.{user_id} = ${me})`,
  ),
  faulty(
    'column-compared-with-itself',
    'unqualified_distinct',
    `exists (select from {s}.{members} as m where m.{team_id} is not distinct from {team_id} and m.{user_id} = ${me})`,
  ),
  faulty(
    'membership-of-anything',
    'of_anything',
    `exists (select from {s}.{members} as m where m.{user_id} = ${me})`,
  ),
  faulty(
    'membership-of-anything',
    'of_anything_or',
    `{owner_id} = ${me} or exists (select from {s}.{members} as m where ${me} = m.{user_id})`,
  ),
  faulty(
    'membership-of-anything',
    'of_anything_in',
    `${me} in (select m.{user_id} from {s}.{members} as m)`,
  ),
] as [PlantedFault, ...PlantedFault[]]

/** Sub-selects of policies that ask for less than they seem to. */
export const faultsOfSubSelects: PlantedFault[] = [
  { ...first, sql: teams + first.sql },
  ...others,
  {
    rule: 'column-compared-with-itself',
    object: 'function {s}.{is_member}(integer)',
    isByHand: true,
    sql: soundFunction(
      '{is_member}({team_id} integer)',
      `returns boolean language sql stable begin atomic
        select exists (select from {s}.{members} as m where m.{team_id} = {team_id} and m.{user_id} = ${me}); end`,
    ),
  },
]
