import { isSign } from '../sql-text/find-names.ts'
import { type Given, placesOf, saysWhich } from '../sql-text/given-in.ts'
import type { Token } from '../sql-text/read-tokens.ts'
import { closingOf, findOutside } from '../sql-text/split-statements.ts'
import { valuesInserted, valuesSetBy, type WrittenDeed } from '../sql-text/written-deeds.ts'
import { saysWhose } from './says-whose.ts'

/** What a statement does to rows that a caller names, in words; null for nothing that is sure. */
export function saidBy({ verb, rest }: WrittenDeed, given: Given): string | null {
  const hasWhere = hasWord(rest, 'where')
  if (verb === 'delete')
    return (hasWhere || hasWord(rest, 'using') ? saysWhich(rest, given) : true)
      ? 'deletes what its caller names'
      : null
  const set = valuesSetBy(rest)
  const isSet = (from: ReadonlySet<string>) =>
    set.some(
      (value) =>
        !value.some((token) => isSign(token, '+') || isSign(token, '-')) &&
        (placesOf(value, given).length > 0 || value.some((token) => from.has(token.value))),
    )
  const writes = 'writes what its caller says'
  if (verb === 'update') {
    const where = rest.slice(
      findOutside(rest, ({ value }) => value === 'where' || value === 'from'),
    )
    return isSet(new Set()) && saysWhich(where, given) ? writes : null
  }
  if (verb === 'merge') {
    const does = rest.findIndex(({ value }) => value === 'matched')
    const isChosen = saysWhich(rest.slice(0, does), given)
    if (isChosen && rest.slice(does).some(({ value }) => value === 'delete'))
      return 'deletes what its caller names'
    return isChosen && set.length > 0 && hasWord(rest, 'update') ? writes : null
  }
  const inserted = valuesInserted(rest)
  if (inserted.some(({ column, value }) => saysWhose.test(column) && isGiven(value, given)))
    return 'inserts for whomever its caller names'
  const conflict = /\bconflict\b/.test(rest.map(({ value }) => value).join(' '))
  const isUpsert = conflict && hasWord(rest, 'update') && isSet(new Set(['excluded']))
  const keys = keysOfConflict(rest)
  return isUpsert && inserted.some(({ column, value }) => keys.has(column) && isGiven(value, given))
    ? writes
    : null
}

/** Alone, also in a cast: not something that is made out of it. */
const isGiven = (value: readonly Token[], given: Given): boolean =>
  placesOf(value, given).length > 0 && !value.some((token) => isSign(token, '('))

function keysOfConflict(rest: readonly Token[]): Set<string> {
  const at = rest.findIndex(({ value }) => value === 'conflict')
  return new Set(rest.slice(at + 2, closingOf(rest, at + 1)).map(({ value }) => value))
}

const hasWord = (tokens: readonly Token[], word: string): boolean =>
  tokens.some(({ type, value }) => type === 'word' && value === word)
