import { blankOut, isExpression } from '../body-text.ts'
import { routines } from '../catalog-sources.ts'
import { isVolatileForNothing } from '../function-text.ts'
import type { QueriedRule as Rule } from '../queried-rule.ts'

export const volatileThatOnlyReads: Rule = {
  name: 'volatile-that-only-reads',
  why:
    'Volatile is what a function is that does not say: it is called again for every row, and no index ' +
    'is used for what it is compared with.',
  query: `
    select kind || ' ' || name as object, format('alter %s %s stable;', kind, name) as mend
    from ${routines} as f
    where ${isVolatileForNothing}`,
}

interface PlpgsqlFunction {
  object: string
  source: string
  definition: string
}

/**
 * Only of what Postgres would run as part of the calling statement. A function that is security definer, has
 * settings or answers with more than an expression is called in either language, and below Postgres 18 plpgsql
 * alone keeps its plan. A strict one, or one that answers with a row, is run in place only sometimes.
 */
export const plpgsqlThatCouldBeSql: Rule = {
  name: 'plpgsql-that-could-be-sql',
  why:
    'Its body is one query, which language sql runs as part of the statement that calls it; plpgsql ' +
    'is a wall to the planner and a start for each call.',
  query: `
    select kind || ' ' || name as object, prosrc as source, pg_get_functiondef(f.oid) as definition
    from ${routines} as f join pg_type on pg_type.oid = prorettype
    where prolang = (select oid from pg_language where lanname = 'plpgsql') and prokind = 'f'
      and prorettype not in ('trigger'::regtype, 'event_trigger'::regtype, 'void'::regtype)
      and not prosecdef and proconfig is null and not proisstrict and prosrc ~* '\\yreturn\\y'
      and case when proretset then provolatile <> 'v' else typtype <> 'c' and prorettype <> 'record'::regtype end`,
  read: ({ object, source, definition }: PlpgsqlFunction) => {
    const query = queryOf(source)
    if (query === null) return []
    const mend = definition
      .replace(/^ LANGUAGE plpgsql/m, ' LANGUAGE sql')
      .replace(source, () => `\n  ${query}\n`)
    return [{ object, mend: `${mend.trimEnd()};` }]
  },
}

/** The query that is all of a body, or null: of one value, only what is an expression. */
export function queryOf(source: string): string | null {
  const only =
    /^\s*begin\s+return\s+(query\s+)?((?!next\b|query\b|execute\b)[^;\s][^;]*);\s*end\s*;?\s*$/di.exec(
      blankOut(source),
    )
  const [start, end] = only?.indices?.[2] ?? []
  if (start === undefined || end === undefined) return null
  const text = source.slice(start, end).trim()
  if (only?.[1] !== undefined) return text
  return isExpression(`select ${text}`) ? `select ${text}` : null
}
