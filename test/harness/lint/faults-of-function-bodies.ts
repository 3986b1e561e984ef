import { soundFunction } from './names.ts'
import type { PlantedFault } from './planted-fault.ts'

const inFunction = (rule: string, callable: string, rest: string): PlantedFault => ({
  rule,
  object: `function {s}.${callable}`,
  sql: soundFunction(callable, rest),
})

export const faultsOfFunctionBodies: PlantedFault[] = [
  inFunction(
    'volatile-that-only-reads',
    '{speaks}(integer)',
    `returns integer language plpgsql
    as $$ begin /* inserts */ perform 'insert'; return 1; -- sets
    end $$`,
  ),
  inFunction(
    'volatile-that-only-reads',
    '{counts_roles}(integer)',
    'returns bigint begin atomic select count(*) from pie_schema.roles; end',
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
]
