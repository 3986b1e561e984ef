import { commented, sharedTable, soundFunction, soundTable } from './names.ts'
import type { PlantedFault } from './planted-fault.ts'

const forWebuser = (
  rule: string,
  callable: string,
  rest: string,
  grant = `grant execute on function {s}.${callable} to webuser;`,
): PlantedFault => ({
  rule,
  object: `function {s}.${callable}`,
  sql: soundFunction(callable, rest) + grant,
})

/** Pie’s databases let nobody make temporary objects; where they may it is a leak (lint-detours.test.ts). */
const inTemporary = (callable: string, rest: string): PlantedFault => ({
  ...forWebuser('search-path-without-pg-temp-last', callable, rest),
  weight: 'style',
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
    isByHand: true,
  },
  // Those who call it by a view and by a policy are named.
  {
    rule: 'executable-by-public',
    object: 'function {s}.{shown}()',
    isByHand: true,
    sql: `${soundFunction('{shown}()', `returns integer language sql immutable ${one}`)}
      grant execute on function {s}.{shown}() to public;
      ${commented('view', 'showing', 'with (security_invoker) as select {s}.{shown}() as {id}')}
      grant select on {s}.{showing} to webuser;
      ${soundTable('asked_by')}
      create policy {asked_own} on {s}.{asked_by} for select to webadmin using ({id} = (select {s}.{shown}()));
      grant select on {s}.{asked_by} to webadmin;`,
  },
  {
    rule: 'hook-executable-by-others',
    object: 'grant to webuser on function pie_hooks.{hook}(uuid)',
    sql: `create function pie_hooks.{hook}(uuid) returns integer language sql immutable ${one};
      revoke execute on function pie_hooks.{hook}(uuid) from public;
      grant execute on function pie_hooks.{hook}(uuid) to webuser;
      comment on function pie_hooks.{hook}(uuid) is 'A hook.';`,
  },
  ...['{read_past}(integer)', '{read_too}()', '{read_all}(text, text)'].map((callable, place) => ({
    rule: 'executable-by-public',
    object: `function {s}.${callable.replace(', ', ',')}`,
    weight: 'leak' as const,
    sql: `${soundTable(`read_${place}`)} ${soundFunction(
      callable,
      `returns boolean language sql stable security definer set search_path = pg_catalog, pg_temp
       as $$ select exists (select from {s}.{read_${place}} where {id} = 7) $$`,
    )} grant execute on function {s}.${callable} to public;`,
  })),
  forWebuser('security-definer-without-search-path', '{pathless}(integer)', `${definer} ${one}`),
  forWebuser(
    'security-definer-without-search-path',
    '{set_else}(text)',
    `${definer} set work_mem = '1MB' ${one}`,
  ),
  {
    ...forWebuser(
      'security-definer-without-search-path',
      '{of_owner}(integer)',
      `${definer} ${one}`,
      '',
    ),
    weight: 'style',
  },
  {
    rule: 'security-definer-without-search-path',
    object: 'function {s}.{at_write}()',
    sql: `${sharedTable('written')} ${soundFunction(
      '{at_write}()',
      `returns trigger language plpgsql security definer
        as $$ begin return new; end $$`,
    )}
      create trigger {at_write} before update on {s}.{written} for each row execute function {s}.{at_write}();`,
  },
  inTemporary(
    '{temp_first}(integer)',
    `${definer} set search_path = pg_temp, "A, B", pg_catalog ${one}`,
  ),
  inTemporary('{empty_path}(integer)', `${definer} set search_path = '' ${one}`),
  inTemporary('{usual_path}(integer)', `${definer} set search_path = pg_catalog, public ${one}`),
]
