/**
 * What the text of a function shows, of `f`, a row of routines: SQL expressions. They err on the side of
 * saying nothing: a word of the list in a column's name is taken for the deed.
 */
/** Without comments and literals. */
export const body = `regexp_replace(coalesce(pg_get_function_sqlbody(f.oid), f.prosrc),
  '("[^"]*")|''[^'']*''|--[^\\n]*|/\\*(?:[^*]|\\*[^/])*\\*/', ' \\1', 'g')`

const deeds =
  'insert|update|delete|merge|truncate|create|alter|drop|grant|revoke|execute|call|copy|lock|listen|notify|' +
  'unlisten|prepare|deallocate|set|reset|refresh|share|commit|rollback'

const callsVolatile = `exists (
  select from regexp_matches(${body}, '"([^"]+)"\\s*\\(|([[:alpha:]_][[:alnum:]_$]*)\\s*\\(', 'g') as called
  join pg_proc as other on other.proname = coalesce(called[1], lower(called[2]))
  where other.provolatile = 'v' and other.oid <> f.oid
)`

/** Volatile, as every function is whose author did not say, though it writes nothing and calls nothing volatile. */
export const isVolatileForNothing = `(
  f.provolatile = 'v' and f.prokind = 'f'
  and f.prolang in (select oid from pg_language where lanname in ('sql', 'plpgsql'))
  and f.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
  and ${body} !~* '\\y(${deeds})\\y' and not ${callsVolatile}
)`
