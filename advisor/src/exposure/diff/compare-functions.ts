import type { ExposedFunction } from '../exposure.ts'
import type { Change, Notes } from './comparison.ts'

export const reachOfFunction = ({ reach }: ExposedFunction): Change['reach'] => {
  if (reach === null) return 'none'
  return reach.past_row_security !== null || reach.executes_text ? 'all' : 'some'
}

const width = ['none', 'policies', 'all']

/** What a function reaches matters where one of the roles may call it, before and after. */
export function compareReach(
  notes: Notes,
  object: string,
  was: ExposedFunction | undefined,
  is: ExposedFunction | undefined,
): void {
  if (was?.reach === undefined || is === undefined || is.executable_by.length === 0) return
  const note = { what: 'function', role: rolesOf(is), object, reach: reachOfFunction(is) }
  notes.names(reachIn(was), reachIn(is), (action) => ({ ...note, action }))
  const were = new Map(was.reach?.relations.map(({ relation, rows }) => [relation, rows]))
  for (const { relation, rows } of is.reach?.relations ?? []) {
    const then = were.get(relation)
    were.delete(relation)
    if (then === rows) continue
    const action = `reaches ${relation} (${inWords(rows)})`
    if (then === undefined || width.indexOf(rows) > width.indexOf(then))
      notes.note('opened', { ...note, action })
    else notes.note('closed', { ...note, action })
  }
  // Where its text can no longer be read, what it named is not told to be gone.
  if (is.reach?.known_by !== 'unknown')
    for (const [relation, rows] of were)
      notes.note('closed', { ...note, action: `reaches ${relation} (${inWords(rows)})` })
}

const inWords = (rows: string): string =>
  rows === 'all' ? 'all rows' : rows === 'none' ? 'no rows' : rows

const rolesOf = ({ executable_by }: ExposedFunction): string => executable_by.join(', ')

/** But for relations, of which it may reach more or less. */
const reachIn = ({ reach }: ExposedFunction): string[] =>
  reach === null
    ? []
    : [
        `acts as ${reach.as}`,
        ...(reach.past_row_security === null
          ? []
          : [`acts as one who is past row-level security (${reach.past_row_security})`]),
        ...(reach.without_schema ?? []).map(
          (name) => `names ${name}, without its schema: its caller's search_path decides`,
        ),
        ...reach.functions.map((called) => `calls ${called}`),
        ...(reach.executes_text ? ['executes text'] : []),
      ]

/** Whether another body lets through more is not told from here. */
export function compareBody(
  notes: Notes,
  object: string,
  was: ExposedFunction | undefined,
  is: ExposedFunction | undefined,
): void {
  // Undefined in a map of an earlier version.
  if (typeof was?.body !== 'string' || typeof is?.body !== 'string' || was.body === is.body) return
  const decides =
    is.security === 'definer'
      ? `with the rights of its owner${is.reach === null ? '' : ` ${is.reach.as}`}`
      : 'and policies, views, triggers or other functions go by it'
  notes.note('changed', {
    what: 'body',
    object,
    action: 'its body or its settings are others',
    detail: [decides],
    reach: is.executable_by.length > 0 || is.security === 'invoker' ? 'some' : 'none',
  })
}
