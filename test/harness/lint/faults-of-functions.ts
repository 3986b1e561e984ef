import { soundFunction } from './names.ts'
import type { PlantedFault } from './planted-fault.ts'

const inFunction = (rule: string, callable: string, rest: string): PlantedFault => ({
  rule,
  object: `function {s}.${callable}`,
  sql: soundFunction(callable, rest),
})

const one = 'as $$ select 1 $$'
const definer = 'returns integer language sql immutable security definer'

export const faultsOfFunctions: PlantedFault[] = [
  {
    rule: 'executable-by-public',
    object: 'function {s}.{open}(text)',
    sql: `${soundFunction('{open}(integer)', `returns integer language sql immutable ${one}`)}
      ${soundFunction('{open}(text)', `returns integer language sql immutable ${one}`)}
      grant execute on function {s}.{open}(text) to public;`,
  },
  {
    rule: 'hook-executable-by-others',
    object: 'grant to webuser on function pie_hooks.{hook}(uuid)',
    sql: `create function pie_hooks.{hook}(uuid) returns integer language sql immutable ${one};
      revoke execute on function pie_hooks.{hook}(uuid) from public;
      grant execute on function pie_hooks.{hook}(uuid) to webuser;
      comment on function pie_hooks.{hook}(uuid) is 'A hook.';`,
  },
  inFunction('security-definer-without-search-path', '{pathless}(integer)', `${definer} ${one}`),
  inFunction(
    'search-path-without-pg-temp-last',
    '{temp_first}(integer)',
    `${definer} set search_path = pg_temp, "A, B", pg_catalog ${one}`,
  ),
  inFunction(
    'search-path-without-pg-temp-last',
    '{empty_path}(integer)',
    `${definer} set search_path = '' ${one}`,
  ),
]
