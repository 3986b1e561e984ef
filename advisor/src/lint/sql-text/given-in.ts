import type { Routine } from '../../catalog/catalog.ts'
import { assignmentsIn } from './assignments-in.ts'
import { bodyOf } from './body-of.ts'
import { isSign } from './find-names.ts'
import type { Token } from './read-tokens.ts'
import { splitStatements } from './split-statements.ts'

/** What a caller says, in a function's body: arguments by name and by number, and variables that are made of them. */
export interface Given {
  names: ReadonlySet<string>
  routine: Routine
}

export function givenTo(routine: Routine, places: ReadonlySet<number> | null = null): Given {
  const names = new Set<string>()
  for (const place of routine.argumentTypes.keys()) {
    if (places !== null && !places.has(place)) continue
    names.add(`$${place + 1}`)
    const name = routine.argumentNames[place] ?? ''
    if (name !== '') names.add(name)
  }
  const given = { names, routine }
  if (routine.language === 'plpgsql' && names.size > 0)
    for (const statement of splitStatements(bodyOf(routine)).simple)
      for (const { to, from } of assignmentsIn(statement))
        if (!from.some(isFrom) && placesOf(from, given).length > 0) names.add(to)
  return given
}

const isFrom = ({ type, value }: Token) => type === 'word' && value === 'from'

/** Where something that a caller says stands, not what is a column, a call or a name given to something. */
export function placesOf(tokens: readonly Token[], { names, routine }: Given): number[] {
  return [...tokens.keys()].filter((place) => {
    const token = tokens[place]
    if (token === undefined || token.type === 'string' || token.type === 'number') return false
    if (!names.has(token.value)) return false
    const isColumn = isSign(tokens[place - 1], '.') && tokens[place - 2]?.value !== routine.name
    const next = tokens[place + 1]
    return (
      !isColumn &&
      !isSign(next, '(') &&
      !isSign(next, '=>') &&
      !(tokens[place - 1]?.type === 'word' && tokens[place - 1]?.value === 'as')
    )
  })
}

const around = /^[<>+*%-]|^[<>]=$/

/** Where it says which: not a bound, an offset, or how many. */
export const saysWhich = (tokens: readonly Token[], given: Given): boolean =>
  placesOf(tokens, given).some((place) => {
    const from = isSign(tokens[place - 1], '.') ? place - 3 : place - 1
    return [tokens[from], tokens[place + 1]].every(
      (token) =>
        token === undefined ||
        (token.type === 'sign'
          ? !around.test(token.value) || token.value === '->' || token.value === '->>'
          : !['limit', 'offset', 'first', 'next'].includes(token.value)),
    )
  })
