import { soundFunction, soundTable } from './names.ts'
import type { PlantedFault } from './planted-fault.ts'

/** A function that a policy calls, and that Postgres can put nowhere in the place of its call. */
export interface PolicyHelper {
  /** As the catalog names it, without its schema. */
  name: string
  /** Makes it, and what it needs. */
  sql: string
  /** An expression that calls it. */
  call: string
}

const fixed = 'set search_path = pg_catalog, pg_temp'
const definer = `language sql stable security definer ${fixed}`

export const policyHelpers: PolicyHelper[] = [
  {
    // More rows than one, of which language sql takes the first.
    name: '{last_role}()',
    sql: soundFunction(
      '{last_role}()',
      `returns text ${definer} as $$ select roles.name from pie_schema.roles order by roles.name desc; -- the last
      $$`,
    ),
    call: '{s}.{last_role}()',
  },
  {
    // Neither a definer's nor with settings; and an argument that is called like a column.
    name: '{is_role}(text)',
    sql: soundFunction(
      '{is_role}(name text)',
      `returns boolean language sql stable as $$
        select exists (select from pie_schema.roles where name = {is_role}.name and name is distinct from '; select')
      $$`,
    ),
    call: `{s}.{is_role}('editor')`,
  },
  {
    // Columns of other types than the function says.
    name: '{roles_after}(text)',
    sql: soundFunction(
      '{roles_after}(text)',
      `returns table ({role} text, {length} bigint) language sql stable ${fixed} as $$
        select roles.name::name, length(roles.name) from pie_schema.roles where roles.name > $1 order by 1
      $$`,
    ),
    call: `array(select format('%s %s', given.{role}, given.{length}) from {s}.{roles_after}('b') as given)`,
  },
  {
    name: '{all_roles}()',
    sql: soundFunction(
      '{all_roles}()',
      `returns setof text ${definer} begin atomic select roles.name from pie_schema.roles order by roles.name; end`,
    ),
    call: 'array(select {s}.{all_roles}())',
  },
  {
    name: '{are_more_roles_than}(integer)',
    sql: soundFunction(
      '{are_more_roles_than}({few} integer)',
      `returns boolean ${definer} return (select count(*) > {few} from pie_schema.roles)`,
    ),
    call: '{s}.{are_more_roles_than}(2)',
  },
  {
    // Called by what the policy calls.
    name: '{beneath}()',
    sql: `${soundFunction('{beneath}()', `returns integer ${definer} as 'select 7'`)}
      ${soundFunction('{above}()', 'returns integer language sql stable as $$ select {s} . {beneath} () + 1 $$')}`,
    call: '{s}.{above}()',
  },
  {
    // Called through an operator.
    name: '{is_alike}(integer,integer)',
    sql: `${soundFunction('{is_alike}(integer, integer)', `returns boolean ${definer} as 'select $1 % 10 = $2 % 10'`)}
      create operator {s}.=== (leftarg = integer, rightarg = integer, function = {s}.{is_alike});`,
    call: '17 operator({s}.===) 7',
  },
]

export const faultsOfHelpers: PlantedFault[] = policyHelpers.map(({ name, sql, call }, place) => ({
  rule: 'policy-helper-planned-at-each-call',
  object: `function {s}.${name}`,
  below: 18,
  sql: `${sql} ${soundTable(`helped_${place}`)}
    create policy {helped_own} on {s}.{helped_${place}} to webuser using ((select ${call}) is not null);`,
}))
