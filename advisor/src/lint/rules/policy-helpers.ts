import { isExpression } from '../body-text.ts'
import { routines } from '../catalog-sources.ts'
import { body } from '../function-text.ts'
import type { QueriedRule as Rule } from '../queried-rule.ts'
import { queryOfFunction, rewriteInPlpgsql, type SqlFunction } from '../rewrite-in-plpgsql.ts'

interface PolicyHelper extends SqlFunction {
  object: string
  name: string
  /** That Postgres puts it nowhere in the place of its call, whatever its body is. */
  is_never_inlined: boolean
}

/** With one way to write what may be written with spaces, and what `body` has put some into. */
const normalized = (text: string) =>
  `regexp_replace(regexp_replace(${text}, '"\\s+"', '""', 'g'), '\\s*([.(])\\s*', '\\1', 'g')`

/**
 * The functions that policies call, by name or through an operator, in a sub-select or not, and what those call
 * in turn. Of a body that is a text, calls are what names another function with its schema, and only one that
 * shares its name with no other.
 */
const helpers = `
  called_by_policies as (
    select refobjid as oid from pg_depend
    where classid = 'pg_policy'::regclass and refclassid = 'pg_proc'::regclass
    union
    select oprcode from pg_depend join pg_operator on pg_operator.oid = refobjid
    where classid = 'pg_policy'::regclass and refclassid = 'pg_operator'::regclass
  ),
  callable as (
    select f.oid, ${normalized(body)} as body, ${normalized(`format('%I.%I(', nspname, proname)`)} as call,
      count(*) over (partition by pronamespace, proname) = 1 as has_a_name_of_its_own
    from pg_proc as f join pg_namespace on pg_namespace.oid = pronamespace
    where nspname not in ('pg_catalog', 'information_schema')
  ),
  helpers as (
    select callable.oid, callable.body from callable where oid in (select oid from called_by_policies)
    union
    select callable.oid, callable.body from helpers join callable on
      has_a_name_of_its_own and case when strpos(helpers.body, callable.call) > 0 then
        helpers.body ~ ('(^|[^[:alnum:]_$"])' || regexp_replace(callable.call, '([^[:alnum:]_])', '\\\\\\1', 'g')) end
      or callable.oid in (
        select refobjid from pg_depend
        where classid = 'pg_proc'::regclass and objid = helpers.oid and refclassid = 'pg_proc'::regclass
      )
  )`

export const policyHelperPlannedAtEachCall: Rule = {
  name: 'policy-helper-planned-at-each-call',
  why:
    'Before PostgreSQL 18, a function in language sql that cannot be run as part of its caller is planned ' +
    'anew in every statement that calls it, which costs more than what it does; plpgsql keeps the plan.',
  query: `
    with recursive ${helpers}
    select kind || ' ' || f.name as object, f.name, pg_get_functiondef(f.oid) as definition, prosrc as source,
      pg_get_function_sqlbody(f.oid) as standard_body, proretset as returns_set, pronargs > 0 as has_arguments,
      prosecdef or proconfig is not null or proretset and (provolatile = 'v' or proisstrict) as is_never_inlined,
      case
        when proallargtypes is not null then (
          select array_agg(format_type(type, null) order by place)
          from unnest(proallargtypes, proargmodes) with ordinality as argument (type, mode, place)
          where mode in ('o', 'b', 't') and proretset
        )
        when typtype not in ('c', 'p') then array[format_type(prorettype, null)]
      end as column_types
    from ${routines} as f join pg_type on pg_type.oid = prorettype
    where current_setting('server_version_num')::integer < 180000
      and f.oid in (select helpers.oid from helpers)
      and prolang = (select oid from pg_language where lanname = 'sql') and prokind = 'f'`,
  read: (helper: PolicyHelper) => {
    const { object, name, returns_set, is_never_inlined } = helper
    const query = queryOfFunction(helper)
    const isInlined = !is_never_inlined && query !== null && (returns_set || isExpression(query))
    if (isInlined) return []
    const mend = rewriteInPlpgsql(helper) ?? `-- to be written anew in language plpgsql: ${name}`
    return [{ object, mend }]
  },
}
