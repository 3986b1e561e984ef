import { soundFunction, soundTable } from './names.ts'
import type { PlantedFault } from './planted-fault.ts'

const inPolicy = (rule: string, table: string, to: string, using: string): PlantedFault => ({
  rule,
  object: `policy {${table}_own} on {s}.{${table}}`,
  sql: `${soundTable(table)} create policy {${table}_own} on {s}.{${table}} ${to} using (${using});`,
})

const mine = soundFunction(
  '{mine}()',
  `returns integer language sql stable as $$ select pg_backend_pid() $$`,
)
const dice = soundFunction(
  '{dice}()',
  'returns integer language sql as $$ select (random() * 6)::integer $$',
)

const late = soundFunction(
  '{late}()',
  `returns integer language sql as $$ select extract(hour from now())::integer $$`,
)

const withMine = (fault: PlantedFault): PlantedFault => ({ ...fault, sql: mine + fault.sql })

/** The first of them makes the function that others call too. */
export const faultsOfPolicies: PlantedFault[] = [
  withMine({
    ...inPolicy('policy-to-public', 'open_to_all', '', 'false'),
    sql: `${soundTable('open_to_all')} create policy {open_to_all_own} on {s}.{open_to_all} using (false);
      grant select on {s}.{open_to_all} to webuser;`,
  }),
  {
    rule: 'policy-calls-volatile-function',
    object: 'policy {by_luck_own} on {s}.{by_luck}',
    sql: `${dice} ${soundTable('by_luck')}
      create policy {by_luck_own} on {s}.{by_luck} to webuser using ((select {s}.{dice}()) > {id});`,
  },
  {
    rule: 'policy-calls-volatile-function',
    object: 'policy {by_hour_own} on {s}.{by_hour}',
    // Nobody has said that it only reads.
    weight: 'slow',
    sql: `${late} ${soundTable('by_hour')}
      create policy {by_hour_own} on {s}.{by_hour} to webuser using ((select {s}.{late}()) > {id});`,
    also: [{ rule: 'volatile-that-only-reads', object: 'function {s}.{late}()' }],
  },
  // All of the condition is one call.
  {
    rule: 'policy-calls-function-per-row',
    object: 'policy {by_call_own} on {s}.{by_call}',
    sql: `${soundFunction('{may}()', `returns boolean language sql stable as $$ select current_setting('TimeZone') = 'UTC' $$`)}
      ${soundTable('by_call')}
      create policy {by_call_own} on {s}.{by_call} to webuser using ({s}.{may}());`,
  },
  inPolicy(
    'policy-calls-function-per-row',
    'per_row',
    'to webuser',
    `{id} = {s}.{mine}() and 'mine()' <> '{'s}.{'mine}('
      and {id} <> (select {s}.{mine}()) and {id} <> coalesce({s}.{mine}(), 7)`,
  ),
  inPolicy(
    'policy-calls-function-per-row',
    'per_question',
    'to webuser',
    '{id}::text = current_setting((select min(name) from pie_schema.roles), true)',
  ),
  inPolicy(
    'policy-calls-function-per-row',
    'per_list',
    'to webuser',
    `{id} = any (string_to_array(current_setting('search_path'), ',')::integer[])
      and {id} in (
        select count(*) from pie_schema.roles group by current_setting('search_path') having current_setting('search_path') <> ''
      )
      and {id}::text <> all (string_to_array(current_setting('search_path'), ','))`,
  ),
]
