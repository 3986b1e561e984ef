import { soundFunction, soundTable } from './names.ts'
import type { Expected, PlantedFault } from './planted-fault.ts'

const inFunction = (
  rule: string,
  callable: string,
  rest: string,
  before = '',
  also: Expected[] = [],
): PlantedFault => ({
  rule,
  object: `function {s}.${callable}`,
  sql: `${before} ${soundFunction(callable, rest)}`,
  also,
})

const volatile = 'volatile-that-only-reads'
const writes = 'stable-that-writes'
const reads = 'immutable-that-reads'

/** As a superuser makes one, and gives it away. */
const leakproof = (callable: string, rest: string): PlantedFault => ({
  ...inFunction('function-leakproof', callable, rest),
  onOwnServer: `${soundFunction(callable, rest)} alter function {s}.${callable} leakproof; alter function {s}.${callable} owner to plain_owner;`,
  sql: 'select 1',
})

export const faultsOfFunctionBodies: PlantedFault[] = [
  leakproof(
    '{says}(integer)',
    `returns boolean language plpgsql immutable as $$ begin raise notice '%', $1; return true; end $$`,
  ),
  leakproof('{divides}(integer)', 'returns boolean language sql immutable return 1 / $1 > 0'),
  leakproof(
    '{compares}(text)',
    `returns boolean language sql immutable as $$ select $1 like '%x' $$`,
  ),
  inFunction(
    writes,
    '{adds_row}(integer)',
    'returns void language plpgsql stable as $$ begin insert into {s}.{written} values ($1); end $$',
    soundTable('written'),
  ),
  inFunction(
    writes,
    '{locks_row}(integer)',
    'returns integer language plpgsql stable as $$ begin return (select {id} from {s}.{written} where {id} = $1 for no key update); end $$',
  ),
  inFunction(
    writes,
    '{changes_row}(integer)',
    'returns void language sql immutable as $$ update only {s}.{written} as w set {id} = $1 where w.{id} = $1 $$',
  ),
  inFunction(
    writes,
    '{makes}(integer)',
    'returns void language plpgsql stable as $$ begin create temporary table {made} (id integer); end $$',
  ),
  inFunction(
    writes,
    '{clears}(integer)',
    'returns void language sql stable begin atomic delete from {s}.{written} where {id} = $1; end',
  ),
  inFunction(
    reads,
    '{counts_read}(integer)',
    'returns bigint language sql immutable as $$ select count(*) from {s}.{read_by} as r where r.{id} > $1 $$',
    soundTable('read_by'),
  ),
  inFunction(
    reads,
    '{setting_of}(text)',
    `returns text language plpgsql immutable as $$ declare found text; begin found := current_setting($1, true); return found; end $$`,
  ),
  inFunction(
    reads,
    '{days_since}(date)',
    'returns integer language sql immutable return current_date - $1',
  ),
  inFunction(
    reads,
    '{reads_through}(integer)',
    'returns bigint language sql immutable as $$ select {s}.{counts_read}($1) + 1 $$',
  ),
  inFunction(
    volatile,
    '{speaks}(integer)',
    `returns integer language plpgsql
    as $$ begin /* inserts /* and */ updates */ perform 'insert'; return 1; -- sets
    end $$`,
  ),
  inFunction(
    volatile,
    '{counts_roles}(integer)',
    'returns bigint begin atomic select count(*) from pie_schema.roles; end',
  ),
  inFunction(
    volatile,
    '{quotes}(integer)',
    `returns text language plpgsql as $body$
    begin return E'it\\'s; delete from x' || $$ update x set y $$ || coalesce($1::text, 'nextval()'); end $body$`,
    '',
    [{ rule: 'plpgsql-that-could-be-sql', object: 'function {s}.{quotes}(integer)' }],
  ),
  // On a composite type, with names and defaults and as many as there are.
  inFunction(
    volatile,
    '{of_pair}({s}.{pair},integer[])',
    'returns integer language sql as $$ select ($1).{a} + $2[1] $$',
    'create type {s}.{pair} as ({a} integer, {b} integer);',
  ),
  {
    rule: volatile,
    object: 'function {s}.{with_defaults}(integer,text,text[])',
    sql: `create function {s}.{with_defaults}({one} integer, {two} text default 'x', out {three} text, variadic {four} text[] default '{}')
        language plpgsql as $$ begin {three} := {two} || {four}[1]; if {one} > 1 then raise exception 'no'; end if; end $$;
      revoke execute on function {s}.{with_defaults}(integer, text, text[]) from public;
      comment on function {s}.{with_defaults}(integer, text, text[]) is 'A function.';`,
  },
  // Each may be stable, and so may what calls the other.
  inFunction(volatile, '{first}(integer)', 'returns integer language sql as $$ select $1 + 1 $$'),
  inFunction(
    volatile,
    '{second}(integer)',
    'returns integer language sql as $$ select {s}.{first}($1) $$',
  ),
  inFunction(
    'plpgsql-that-could-be-sql',
    '{joined}(text)',
    `returns text language plpgsql immutable as $$ -- one query
    begin return 'a;b' || $1; end; $$`,
  ),
  inFunction(
    'plpgsql-that-could-be-sql',
    '{rows_of}(integer)',
    'returns setof integer language plpgsql immutable as $$ begin return query select 1 union select $1; end $$',
  ),
  {
    rule: 'plpgsql-that-could-be-sql',
    object: 'function {s}.{doubles}(integer)',
    weight: 'slow',
    sql: `${soundFunction(
      '{doubles}(integer)',
      'returns integer language plpgsql immutable as $body$ begin return $1 * length($$a; b$$); end $body$',
    )}
      ${soundTable('policed')}
      create policy {policed_own} on {s}.{policed} to webuser using ({id} = {s}.{doubles}(3));`,
  },
]
