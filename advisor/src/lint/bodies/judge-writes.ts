import type { Catalog, Routine } from '../../catalog/catalog.ts'
import { bodyOf } from '../sql-text/body-of.ts'
import { findNames } from '../sql-text/find-names.ts'
import { type Given, givenTo, placesOf } from '../sql-text/given-in.ts'
import { nameIndexOf } from '../sql-text/name-index.ts'
import { searchPathOf } from '../sql-text/reach-of.ts'
import { closingOf, splitAtCommas } from '../sql-text/split-statements.ts'
import { deedsIn } from '../sql-text/written-deeds.ts'
import { type Judged, keptFrom } from './kept-from.ts'
import { saidBy } from './said-by.ts'

/** What it writes to itself, and in functions that it hands on to what it is given. */
export function judgeWrites(
  catalog: Catalog,
  callers: readonly number[],
  given: Given,
  before: Set<Routine> = new Set(),
): Judged | null {
  const { routine } = given
  if (before.has(routine)) return null
  before.add(routine)
  const kept = keptFrom(catalog, callers, routine)
  const tokens = bodyOf(routine)
  const emptied = kept.find(({ deed }) => deed === 'truncate')
  if (emptied !== undefined)
    return { weight: 'hole', does: `deletes what its caller names in ${emptied.relation.sql}` }
  for (const deed of deedsIn(tokens)) {
    const table = kept.find((one) => one.relation.name === deed.table && one.deed !== 'select')
    const does = table === undefined ? null : saidBy(deed, given)
    if (does !== null) return { weight: 'hole', does: `${does} in ${table?.relation.sql}` }
  }
  for (const { called, places } of handsOn(catalog, given)) {
    const judged = judgeWrites(catalog, callers, givenTo(called, places), before)
    if (judged !== null) return judged
  }
  return null
}

/** The functions that are called with what is given, and at which places. */
function handsOn(
  catalog: Catalog,
  given: Given,
): { called: Routine; places: ReadonlySet<number> }[] {
  const { routine } = given
  const tokens = bodyOf(routine)
  return findNames(tokens).flatMap(({ parts, isCalled, to }) => {
    if (!isCalled) return []
    const values = splitAtCommas(tokens.slice(to + 1, closingOf(tokens, to)))
    const places = new Set(
      [...values.keys()].filter((place) => placesOf(values[place] ?? [], given).length > 0),
    )
    if (places.size === 0) return []
    return nameIndexOf(catalog)
      .findRoutines(parts, searchPathOf(routine))
      .filter(({ isAsked }) => isAsked)
      .map((called) => ({ called, places }))
  })
}
