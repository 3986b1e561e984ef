import type { Catalog, Routine } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { usesOf } from '../bodies/calls-in-tree.ts'
import { findWrite } from '../bodies/deeds.ts'
import { mayFunctionAct } from '../bodies/find-acting.ts'
import { findPolicyHelpers } from '../bodies/find-policy-helpers.ts'
import { findRead } from '../bodies/find-reads.ts'
import { goesBySearchPath } from '../bodies/goes-by-search-path.ts'
import { onlyQueryOf } from '../bodies/query-text.ts'
import { headOf, quoteBody } from '../bodies/rewrite-in-plpgsql.ts'
import { isWritten, tokensOf } from '../bodies/tokens-of.ts'
import { inComment } from '../mends/in-comment.ts'
import type { Fault, Rule } from '../rule.ts'
import { readTokens } from '../sql-text/read-tokens.ts'

/** pg_type's own. */
const VOID = 2278
const RECORD = 2249
const CURSOR = 1790
const TRIGGERS = [2279, 3838]

/** Functions in SQL and plpgsql. Procedures have no volatility. */
const writtenFunctions = ({ functions }: Catalog): Routine[] =>
  [...functions.values()].filter(
    (routine) => routine.isAsked && routine.kind === 'function' && isWritten(routine),
  )

const faultIn = (routine: Routine, volatility: string, detail?: string): Fault => ({
  object: `function ${routine.sql}`,
  ...(detail === undefined ? {} : { detail }),
  mend: `alter function ${routine.sql} ${volatility};`,
})

/** Volatile, as every function is whose author did not say, though nothing that it may run does more than read. */
export const isVolatileForNothing = (catalog: Catalog, routine: Routine): boolean =>
  routine.volatility === 'v' &&
  routine.kind === 'function' &&
  isWritten(routine) &&
  ![...TRIGGERS, CURSOR].includes(routine.returns) &&
  !mayFunctionAct(catalog, routine)

export const volatileThatOnlyReads: Rule = {
  name: 'volatile-that-only-reads',
  weight: 'slow',
  why:
    'Volatile is what a function is that does not say: it is called again for every row, and no index ' +
    'is used for what it is compared with.',
  find: (catalog) =>
    writtenFunctions(catalog)
      .filter((routine) => isVolatileForNothing(catalog, routine) && !isInCheck(catalog, routine))
      .map((routine) => faultIn(routine, 'stable')),
}

const known = new WeakMap<Catalog, Set<string>>()

/** A check that looks at the rows of its own statement sees them only with a function that is volatile. */
function isInCheck(catalog: Catalog, { name }: Routine): boolean {
  let words = known.get(catalog)
  if (words === undefined) {
    words = new Set()
    for (const { constraints } of catalog.relations.values())
      for (const { type, definition } of constraints)
        if (type === 'c') for (const { value } of readTokens(definition)) words.add(value)
    known.set(catalog, words)
  }
  return words.has(name)
}

export const stableThatWrites: Rule = {
  name: 'stable-that-writes',
  weight: 'failure',
  why: 'Postgres lets no function write that is not volatile: it fails when it is called and comes to that statement.',
  find: (catalog) =>
    writtenFunctions(catalog).flatMap((routine) => {
      const write = routine.volatility === 'v' ? null : writeOf(catalog, routine)
      if (write === null) return []
      const says = routine.volatility === 's' ? 'stable' : 'immutable'
      return [faultIn(routine, 'volatile', `it is ${says}, and there is ${write} in it`)]
    }),
}

function writeOf(catalog: Catalog, routine: Routine): string | null {
  if (routine.sqlBody === null) return findWrite(tokensOf(routine))
  return usesOf(catalog, routine.sqlBody.tree).acts ? 'a statement that writes' : null
}

export const immutableThatReads: Rule = {
  name: 'immutable-that-reads',
  weight: 'failure',
  why:
    'Postgres works the answer of an immutable function out once and keeps it, in plans, indexes and generated columns: ' +
    'it goes on answering what was true then.',
  find: (catalog, names) =>
    writtenFunctions(catalog).flatMap((routine) => {
      if (routine.volatility !== 'i' || writeOf(catalog, routine) !== null) return []
      const read = findRead(catalog, names, routine)
      if (read === null) return []
      const fault = faultIn(routine, volatilityOf(catalog, names, routine))
      const isKept = catalog.keptFunctions.has(routine.oid)
      return [
        {
          ...fault,
          detail: `it reads ${read}${isKept ? '; an index or a generated column keeps its answers' : ''}`,
          mend: isKept
            ? `-- first drop what keeps its answers\n-- ${inComment(fault.mend)}`
            : fault.mend,
        },
      ]
    }),
}

/** What a function should say of itself, as far as its body shows. */
function volatilityOf(
  catalog: Catalog,
  names: Names,
  routine: Routine,
): 'immutable' | 'stable' | 'volatile' {
  const { volatility } = routine
  if (volatility === 'v') return isVolatileForNothing(catalog, routine) ? 'stable' : 'volatile'
  if (writeOf(catalog, routine) !== null) return 'volatile'
  if (volatility === 's') return 'stable'
  if (findRead(catalog, names, routine) === null) return 'immutable'
  return mayFunctionAct(catalog, routine) ? 'volatile' : 'stable'
}

export const functionLeakproof: Rule = {
  name: 'function-leakproof',
  weight: 'leak',
  why:
    'Postgres gives a leakproof function the rows that policies and security barriers hide, before they are hidden: what it ' +
    'raises, writes or takes long over tells of them.',
  find: (catalog) =>
    [...catalog.functions.values()]
      .filter(
        ({ isAsked, isLeakproof, language }) =>
          isAsked && isLeakproof && language !== 'c' && language !== 'internal',
      )
      .filter((routine) => !callsOnlyLeakproof(catalog, routine))
      .map((routine) => faultIn(routine, 'not leakproof')),
}

function callsOnlyLeakproof(catalog: Catalog, { sqlBody }: Routine): boolean {
  if (sqlBody === null) return false
  const { functions, relations, acts } = usesOf(catalog, sqlBody.tree)
  return (
    !acts &&
    relations.size === 0 &&
    [...functions].every((oid) => catalog.functions.get(oid)?.isLeakproof === true)
  )
}

/**
 * Only of what Postgres would run as part of the calling statement. A function that is security definer, has
 * settings or answers with more than an expression is called in either language, and below Postgres 18 plpgsql
 * alone keeps its plan. A strict one, or one that answers with a row, is run in place only sometimes.
 */
export const plpgsqlThatCouldBeSql: Rule = {
  name: 'plpgsql-that-could-be-sql',
  weight: 'style',
  why:
    'Its body is one query, which language sql runs as part of the statement that calls it; plpgsql ' +
    'is a wall to the planner and a start for each call.',
  find: (catalog, names) =>
    writtenFunctions(catalog).flatMap((routine): Fault[] => {
      const { language, source, definition, oid } = routine
      if (language !== 'plpgsql' || source === null || !isRunInPlace(catalog, routine)) return []
      const query = onlyQueryOf(source)
      if (query === null || definition === null || goesBySearchPath(catalog, query)) return []
      // With what other mends of the same run say of it, or it would undo them.
      const head = ` LANGUAGE sql ${volatilityOf(catalog, names, routine).toUpperCase()}`
      const mend = headOf(routine)
        // With its line, where it is alone there.
        .replace(/^ (?:IMMUTABLE|STABLE)(?:\n|\b)/m, '')
        .replace(/^ LANGUAGE plpgsql/m, head)
      const isOfPolicy = findPolicyHelpers(catalog).has(oid)
      const detail = 'a policy calls it, by itself or through another function'
      return [
        {
          object: `function ${routine.sql}`,
          ...(isOfPolicy ? { weight: 'slow' as const, detail } : {}),
          mend: `${mend}AS ${quoteBody(`\n  ${withType(catalog, routine, query)}\n`)};`,
        },
      ]
    }),
}

/** What plpgsql makes of a literal by itself, language sql does only where it is said. */
function withType({ types }: Catalog, { returns, returnsSet }: Routine, query: string): string {
  const expression = /^select\s([\s\S]*)$/i.exec(query)?.[1]
  const isPlain = !readTokens(query).some(({ type }) => type === 'string')
  const type = types.get(returns)
  return returnsSet ||
    isPlain ||
    expression === undefined ||
    type === undefined ||
    type.kind === 'p'
    ? query
    : `select (${expression.trim()})::${type.sql}`
}

function isRunInPlace({ types }: Catalog, routine: Routine): boolean {
  const { returns, returnsSet, isSecurityDefiner, settings, isStrict, volatility } = routine
  if ([...TRIGGERS, VOID].includes(returns) || isSecurityDefiner || settings.length > 0 || isStrict)
    return false
  return returnsSet ? volatility !== 'v' : types.get(returns)?.kind !== 'c' && returns !== RECORD
}
