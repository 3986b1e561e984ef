import { schemaAlone, soundFunction, soundTable } from './names.ts'
import { me, ownedTable, writing } from './owned-table.ts'

const mine = `{owner_id} = ${me}`
const policy = (table: string, name: string, rest: string) =>
  `create policy {${table}_${name}} on {s}.{${table}} ${rest};`

/** Near to what the rules about who is asked mind, and no fault. */
export const soundPolicies = [
  schemaAlone,
  soundTable('teams', ', {title} text'),
  `grant select on {s}.{teams} to webuser;`,
  policy('teams', 'all', 'for select to webuser using (true)'),
  soundTable(
    'members',
    `, {team_id} integer not null references {s}.{teams} on delete cascade,
    {user_id} uuid not null references pie_schema.users on delete cascade, unique ({team_id}, {user_id})`,
  ),
  `create index on {s}.{members} ({user_id}, {team_id}); grant select on {s}.{members} to webuser;`,
  policy('members', 'own', `for select to webuser using ({user_id} = ${me})`),

  // Read by everybody, written by its owner.
  ownedTable('open_to_read', '', `select;${writing}`),
  policy('open_to_read', 'all', 'for select to webuser using (true)'),
  policy('open_to_read', 'add', `for insert to webuser with check (${mine})`),
  policy(
    'open_to_read',
    'change',
    `for update to webuser using (${mine}) with check (${mine} and length({body}) < 100)`,
  ),
  policy('open_to_read', 'remove', `for delete to webuser using (${mine} and not {is_open})`),

  // Whoever is signed in may add, and only their own: the owner is filled in.
  ownedTable('added', '', 'select;insert ({id}, {body})'),
  `alter table {s}.{added} alter column {owner_id} set default pie_schema.current_user_id();`,
  policy('added', 'see', `for select to webuser using (${mine})`),
  policy('added', 'add', `for insert to webuser with check (${me} is not null)`),

  // What is public may be read, and no more.
  ownedTable('published', '', 'select;update ({body})'),
  policy('published', 'see', `for select to webuser using ({is_open} or ${mine})`),
  policy('published', 'change', `for update to webuser using (${mine})`),

  // Of one's teams: by a sub-select that asks who and which, in each way to write it.
  ...['exists', 'in', 'array', 'helper'].map((way) =>
    ownedTable(
      `by_${way}`,
      ', {team_id} integer references {s}.{teams} on delete cascade',
      'select;delete',
    ),
  ),
  ...['exists', 'in', 'array', 'helper'].map(
    (way) => `create index on {s}.{by_${way}} ({team_id});`,
  ),
  policy(
    'by_exists',
    'team',
    `to webuser using (exists (
    select from {s}.{members} as m where m.{team_id} = {by_exists}.{team_id} and m.{user_id} = ${me}))`,
  ),
  policy(
    'by_in',
    'team',
    `to webuser using ({team_id} in (select m.{team_id} from {s}.{members} as m where m.{user_id} = ${me}))`,
  ),
  // The policies of members ask who it is.
  policy(
    'by_array',
    'team',
    'to webuser using ({team_id} = any (array (select m.{team_id} from {s}.{members} as m)))',
  ),
  soundFunction(
    '{my_teams}()',
    `returns setof integer language plpgsql stable security definer set search_path = pg_catalog, pg_temp
    as $$ begin return query select m.{team_id} from {s}.{members} as m where m.{user_id} = ${me}; end $$`,
  ),
  'grant execute on function {s}.{my_teams}() to webuser;',
  policy(
    'by_helper',
    'team',
    'to webuser using ({team_id} = any (array (select {s}.{my_teams}())))',
  ),

  // Two rows of one table, of which one is held against the other.
  soundTable('parts', ', {whole_id} integer references {s}.{parts} on delete cascade'),
  `create index on {s}.{parts} ({whole_id}); grant select on {s}.{parts} to webuser;`,
  soundTable('pairs', ', {one_id} integer not null, {other_id} integer not null'),
  `create index on {s}.{pairs} ({one_id}, {other_id}); create index on {s}.{pairs} ({other_id}); grant select on {s}.{pairs} to webuser;`,
  policy(
    'parts',
    'of_whole',
    `for select to webuser using (${me} is not null and exists (
    select from {s}.{pairs} as a join {s}.{pairs} as b on a.{one_id} = b.{one_id} where a.{other_id} = {parts}.{id}))`,
  ),
  policy('pairs', 'signed_in', `for select to webuser using (${me} is not null)`),

  // An administrator is asked whether they are one; a role of its own may see all.
  ownedTable('of_admins', '', 'select'),
  policy('of_admins', 'mine', `for select to webuser using (${mine})`),
  policy(
    'of_admins',
    'admins',
    `for select to webadmin using ((select pie_schema.has_role('admin')))`,
  ),

  // Somebody else's, and one asks who it is beside.
  soundTable(
    'votes',
    `, {by_id} uuid not null references pie_schema.users on delete cascade,
    {for_id} uuid not null references pie_schema.users on delete cascade`,
  ),
  `create index on {s}.{votes} ({by_id}); create index on {s}.{votes} ({for_id});
  grant select, insert ({id}, {by_id}, {for_id}) on {s}.{votes} to webuser;`,
  policy('votes', 'mine', `to webuser using ({by_id} = ${me} and {for_id} <> ${me})`),

  // Deliberately open, beside a restrictive one that asks.
  ownedTable('restricted', '', 'select;delete'),
  policy('restricted', 'open', 'to webuser using (true)'),
  policy('restricted', 'mine', `as restrictive to webuser using (${mine})`),

  // From one state to the next.
  ownedTable('drafts', `, {state} text not null default 'draft'`, 'select;update ({state})'),
  policy('drafts', 'see', `for select to webuser using (${mine})`),
  policy(
    'drafts',
    'publish',
    `for update to webuser using (${mine} and {state} = 'draft') with check (${mine} and {state} <> 'draft')`,
  ),
  // Never null, whatever is asked; and nobody may.
  ownedTable('never_null', '', 'select'),
  policy('never_null', 'mine', `for select to webuser using ({owner_id} is null or ${mine})`),
  ownedTable('closed', '', 'select'),
  policy('closed', 'nobody', 'for select to webuser using (false)'),

  // A whole domain, to its end; a constant beside.
  ownedTable('of_domain', '', 'select'),
  policy(
    'of_domain',
    'ours',
    `for select to webuser using (${me} is not null and (
    select e.email from pie_schema.user_emails as e where e.user_id = ${me} and e.is_primary) like '%@example.com')`,
  ),
].join('\n')
