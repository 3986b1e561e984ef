import { routines } from '../catalog-sources.ts'
import { isVolatileForNothing } from '../function-text.ts'
import type { Rule } from '../rule.ts'

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
 * Only of what Postgres would run as part of the calling statement: a function that is security definer or
 * has settings is called in either language, and below Postgres 18 plpgsql alone keeps its plan.
 */
export const plpgsqlThatCouldBeSql: Rule = {
  name: 'plpgsql-that-could-be-sql',
  why:
    'Its body is one query, which language sql runs as part of the statement that calls it; plpgsql ' +
    'is a wall to the planner and a start for each call.',
  query: `
    select kind || ' ' || name as object, prosrc as source, pg_get_functiondef(f.oid) as definition
    from ${routines} as f
    where prolang = (select oid from pg_language where lanname = 'plpgsql') and prokind = 'f'
      and prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
      and not prosecdef and proconfig is null and prosrc ~* '\\yreturn\\y'`,
  read: ({ object, source, definition }: PlpgsqlFunction) => {
    const query = queryOf(source)
    if (query === null) return []
    const mend = definition
      .replace(/^ LANGUAGE plpgsql/m, ' LANGUAGE sql')
      .replace(source, () => `\n  ${query}\n`)
    return [{ object, mend: `${mend.trimEnd()};` }]
  },
}

/** The query that is all of a body, or null. */
export function queryOf(source: string): string | null {
  // Comments and literals count for nothing, and keep their length: places in one text are places in the other.
  const bare = source.replaceAll(/"[^"]*"|'[^']*'|--[^\n]*|\/\*[\s\S]*?\*\//g, (part) =>
    (/^['"]/.test(part) ? 'x' : ' ').repeat(part.length),
  )
  const only =
    /^\s*begin\s+return\s+(query\s+)?((?!next\b|query\b|execute\b)[^;\s][^;]*);\s*end\s*;?\s*$/di.exec(
      bare,
    )
  const [start, end] = only?.indices?.[2] ?? []
  if (start === undefined || end === undefined) return null
  const text = source.slice(start, end).trim()
  return only?.[1] === undefined ? `select ${text}` : text
}
