import type { Catalog, Routine } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { assignmentsIn } from './assignments-in.ts'
import { bodyOf } from './body-of.ts'
import { findNames, isSign } from './find-names.ts'
import { nameIndexOf } from './name-index.ts'
import { reachOf, searchPathOf } from './reach-of.ts'
import type { Token } from './read-tokens.ts'
import { closingOf } from './split-statements.ts'

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
    tokens.some(
      ({ type, value }, place) =>
        type === 'word' &&
        (value === 'execute' ||
          (words.has(value) && !isForNullAlone(routine, tokens, place, place + 1))),
    )
  )
    return true
  const { unknownCalls } = reachOf(catalog, routine)
  if (unknownCalls.length > 0) return true
  return findNames(tokens).some(
    ({ parts, isCalled, from, to }) =>
      isCalled &&
      nameIndexOf(catalog)
        .findRoutines(parts, searchPathOf(routine))
        .some(
          (called) =>
            isIdentity(names, called) ||
            (!called.schema.isOfPostgres && asksWho(catalog, names, called)),
        ) &&
      !isForNullAlone(routine, tokens, from, to),
  )
}

/**
 * Whether a call is there for `is null` and nothing else, itself or through the variable that holds it: that asks whether
 * somebody is signed in, not who.
 */
function isForNullAlone(
  { language }: Routine,
  tokens: readonly Token[],
  from: number,
  to: number,
): boolean {
  let start = from
  let end = isSign(tokens[to], '(') ? closingOf(tokens, to) + 1 : to
  for (;;) {
    const isSelect = tokens[start - 1]?.value === 'select' && isSign(tokens[start - 2], '(')
    const isOpen = isSelect || isSign(tokens[start - 1], '(')
    if (!isOpen || !isSign(tokens[end], ')')) break
    start -= isSelect ? 2 : 1
    end += 1
  }
  if (isAskedForNull(tokens, end)) return true
  const assignment = tokens[start - 1]
  if (language !== 'plpgsql' || !isSign(tokens[end], ';')) return false
  if (!isSign(assignment, ':=') && !isSign(assignment, '=') && assignment?.value !== 'default')
    return false
  const before = tokens.slice(0, start - 1)
  const first = before.findLastIndex(
    ({ type, value }) =>
      (type === 'sign' && value === ';') ||
      (type === 'word' && /^(begin|declare|then)$/.test(value)),
  )
  const [variable] = assignmentsIn(tokens.slice(first + 1, end)).map(({ to: name }) => name)
  if (variable === undefined || /^(exit|continue|assert)$/.test(variable)) return false
  return tokens.every(
    ({ type, value }, place) =>
      value !== variable ||
      type === 'string' ||
      isSign(tokens[place - 1], '.') ||
      place === first + 1 ||
      isDeclared(tokens, place) ||
      isAskedForNull(tokens, place + 1),
  )
}

const isAskedForNull = (tokens: readonly Token[], place: number): boolean =>
  tokens[place]?.value === 'is' &&
  (tokens[place + 1]?.value === 'null' ||
    (tokens[place + 1]?.value === 'not' && tokens[place + 2]?.value === 'null'))

/** `me uuid;` */
const isDeclared = (tokens: readonly Token[], place: number): boolean =>
  (isSign(tokens[place - 1], ';') || tokens[place - 1]?.value === 'declare') &&
  tokens[place + 1]?.type === 'word' &&
  isSign(tokens[place + 2], ';')

const isIdentity = ({ identityFunctions }: Names, { schema, name }: Routine): boolean =>
  identityFunctions.includes(`${schema.name}.${name}`)
