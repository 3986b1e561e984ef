import type { Catalog, Routine } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { bodyOf } from './body-of.ts'
import { reachOf } from './reach-of.ts'

/** What says who is connected. Within a definer's function current_user is its owner; who asks is what settings say. */
const words = new Set(['session_user', 'current_setting', 'system_user'])

/**
 * Whether a function looks at who asks, itself or in what it calls. Where it cannot be seen (dynamic SQL, another language,
 * a call of what is not there), it may: a finding has to be sure.
 */
export function asksWho(catalog: Catalog, names: Names, routine: Routine): boolean {
  const before = known.get(routine)
  if (before !== undefined) return before
  // One that calls itself asks nobody by that.
  known.set(routine, false)
  const asks = looksAtWho(catalog, names, routine)
  known.set(routine, asks)
  return asks
}

const known = new WeakMap<Routine, boolean>()

function looksAtWho(catalog: Catalog, names: Names, routine: Routine): boolean {
  const tokens = bodyOf(routine)
  if (tokens.length === 0) return !routine.schema.isOfPostgres
  if (isIdentity(names, routine)) return true
  if (
    tokens.some(({ type, value }) => type === 'word' && (words.has(value) || value === 'execute'))
  )
    return true
  const { routines, unknownCalls } = reachOf(catalog, routine)
  if (unknownCalls.length > 0) return true
  return routines.some(
    (called) =>
      isIdentity(names, called) || (!called.schema.isOfPostgres && asksWho(catalog, names, called)),
  )
}

const isIdentity = ({ identityFunctions }: Names, { schema, name }: Routine): boolean =>
  identityFunctions.includes(`${schema.name}.${name}`)
