import type { Catalog, Routine } from '../../catalog/catalog.ts'
import { findPolicyHelpers } from '../bodies/find-policy-helpers.ts'
import { isExpression } from '../bodies/query-text.ts'
import { queryOfFunction, rewriteInPlpgsql } from '../bodies/rewrite-in-plpgsql.ts'
import type { Rule } from '../rule.ts'

/** From then on, Postgres keeps the plans of functions in language sql too. */
const VERSION_THAT_KEEPS_PLANS = 180_000

export const policyHelperPlannedAtEachCall: Rule = {
  name: 'policy-helper-planned-at-each-call',
  weight: 'slow',
  why:
    'Before PostgreSQL 18, a function in language sql that cannot be run as part of its caller is planned ' +
    'anew in every statement that calls it, which costs more than what it does; plpgsql keeps the plan.',
  find: (catalog) => {
    if (catalog.version >= VERSION_THAT_KEEPS_PLANS) return []
    return [...findPolicyHelpers(catalog)]
      .flatMap((oid) => catalog.functions.get(oid) ?? [])
      .filter((routine) => isPlannedAtEachCall(routine))
      .map((routine) => ({ object: `function ${routine.sql}`, mend: mendOf(catalog, routine) }))
  },
}

function isPlannedAtEachCall(routine: Routine): boolean {
  const { language, kind, isAsked, isSecurityDefiner, settings, returnsSet } = routine
  if (!isAsked || language !== 'sql' || kind !== 'function') return false
  const isNeverInlined =
    isSecurityDefiner ||
    settings.length > 0 ||
    (returnsSet && (routine.volatility === 'v' || routine.isStrict))
  const query = queryOfFunction(routine)
  return isNeverInlined || query === null || !(returnsSet || isExpression(query))
}

const mendOf = (catalog: Catalog, routine: Routine): string =>
  rewriteInPlpgsql(catalog, routine) ?? `-- to be written anew in language plpgsql: ${routine.sql}`
