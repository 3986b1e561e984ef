import type { Catalog, Relation, Routine } from '../../catalog/catalog.ts'
import { bodyOf } from '../sql-text/body-of.ts'
import { isSign } from '../sql-text/find-names.ts'
import { type Given, placesOf, saysWhich } from '../sql-text/given-in.ts'
import { reachOf } from '../sql-text/reach-of.ts'
import type { Token } from '../sql-text/read-tokens.ts'
import { splitStatements } from '../sql-text/split-statements.ts'
import { conditionsIn, deedsIn } from '../sql-text/written-deeds.ts'
import type { Judged, Reached } from './kept-from.ts'
import { saysWhose } from './says-whose.ts'

/** What it shows of what is kept: whole, or the rows that a caller names. */
export function judgeReads(
  catalog: Catalog,
  routine: Routine,
  kept: readonly Reached[],
  given: Given,
): Judged | null {
  const tokens = bodyOf(routine)
  const read = kept.find(({ deed }) => deed === 'select')
  if (read === undefined || answersYesOrNo(catalog, routine)) return null
  const { relation } = read
  const who = routine.argumentNames.find(
    (name) =>
      identity.test(name) && comparesOneOf(tokens, new Set([name, numberOf(routine, name)])),
  )
  if (who !== undefined)
    return { weight: 'leak', does: `reads ${relation.sql} of whomever ${who} names` }
  const whole: Judged = { weight: 'leak', does: `shows every row of ${relation.sql}` }
  const conditions = conditionsIn(tokens).filter((condition) => !isAlwaysTrue(condition))
  if (given.names.size === 0)
    return answersWithRows(catalog, routine) && conditions.length === 0 ? whole : null
  if (!isAboutOne(catalog, routine, relation) || countsOnly(catalog, routine)) return null
  if (splitStatements(tokens).conditions.some((one) => placesOf(one, given).length > 0)) return null
  if (conditions.length === 0)
    return answersWithRows(catalog, routine) && deedsIn(tokens).length === 0 ? whole : null
  const isChosen = conditions.every(
    (condition) => saysWhich(condition, given) && !isTextLookup(catalog, condition, given),
  )
  return isChosen
    ? { weight: 'leak', does: `reads the rows of ${relation.sql} that its caller names` }
    : null
}

/** `where true`, `where 1 = 1`. */
const isAlwaysTrue = (condition: readonly Token[]): boolean =>
  condition.every(({ type, value }) => type === 'number' || value === 'true' || value === '=')

/** Whether a row of it is somebody's, and it is the only table there: others may say what is for all. */
function isAboutOne(catalog: Catalog, routine: Routine, relation: Relation): boolean {
  return (
    relation.columns.some(({ name }) => saysWhose.test(name)) &&
    reachOf(catalog, routine).relations.every((one) => one.relation === relation)
  )
}

/** What somebody types in to find one thing, as a name or a slug: unless it is whose it is. */
function isTextLookup({ types }: Catalog, condition: readonly Token[], given: Given): boolean {
  const { argumentTypes, argumentNames } = given.routine
  const isEqual = condition.some((token) => isSign(token, '='))
  const isText = placesOf(condition, given).some((place) => {
    const name = condition[place]?.value ?? ''
    const at = name.startsWith('$') ? Number(name.slice(1)) - 1 : argumentNames.indexOf(name)
    return /^(text|varchar|citext|bpchar)$/.test(types.get(argumentTypes[at] ?? 0)?.name ?? '')
  })
  return isEqual && isText && !condition.some(({ value }) => saysWhose.test(value))
}

/** Counts and sums tell of nobody in particular. */
const countsOnly = ({ types }: Catalog, { returns, returnsSet }: Routine): boolean =>
  !returnsSet && /^(int[248]|numeric|float[48])$/.test(types.get(returns)?.name ?? '')

/** Who somebody is, as an argument. */
const identity =
  /^(?:p|v|in|arg|the|my|_)?_?(?:current_|auth_|for_|by_|target_)?(?:user|account|owner|member|person|people|customer|profile|tenant|org|organi[sz]ation|team|author|subject|uid|workspace|company)(?:_?(?:id|uuid|uid))?_?$/i

const numberOf = ({ argumentNames }: Routine, name: string) => `$${argumentNames.indexOf(name) + 1}`

/** `column = argument`, either way round, or in brackets after `any`. */
function comparesOneOf(tokens: readonly Token[], names: ReadonlySet<string>): boolean {
  return tokens.some(({ type, value }, place) => {
    if (type === 'string' || !names.has(value)) return false
    const isCallee = isSign(tokens[place + 1], '(')
    const from = isSign(tokens[place - 1], '.') ? place - 2 : place
    return (
      !isCallee &&
      (isSign(tokens[from - 1], '=') || isSign(tokens[place + 1], '=') || isWithinAny(tokens, from))
    )
  })
}

const isWithinAny = (tokens: readonly Token[], place: number): boolean =>
  isSign(tokens[place - 1], '(') && ['any', 'in'].includes(tokens[place - 2]?.value ?? '')

const answersYesOrNo = ({ types }: Catalog, { returns }: Routine): boolean =>
  ['bool', 'void'].includes(types.get(returns)?.name ?? '')

const answersWithRows = ({ types }: Catalog, { returnsSet, returns }: Routine): boolean =>
  returnsSet ||
  ['json', 'jsonb', 'xml', 'refcursor', 'record'].includes(types.get(returns)?.name ?? '') ||
  types.get(returns)?.kind === 'c' ||
  (types.get(returns)?.element ?? 0) > 0
