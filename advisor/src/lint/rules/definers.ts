/** Functions that are security definer, and what they let a request reach. */
import type { Catalog, Relation, Routine } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { calledAs, callersOf, grantedAs, namesOfRoles } from '../rights/askers.ts'
import { isGranted } from '../rights/read-past.ts'
import type { Fault, Rule } from '../rule.ts'
import { asksWho } from '../sql-text/asks-who.ts'
import { bodyOf } from '../sql-text/body-of.ts'
import { findNames, isSign } from '../sql-text/find-names.ts'
import { type Given, givenTo, placesOf, saysWhich } from '../sql-text/given-in.ts'
import { nameIndexOf } from '../sql-text/name-index.ts'
import { type Deed, reachOf, searchPathOf } from '../sql-text/reach-of.ts'
import type { Token } from '../sql-text/read-tokens.ts'
import { showsCredential } from '../sql-text/shows-credential.ts'
import {
  closingOf,
  findOutside,
  splitAtCommas,
  splitStatements,
} from '../sql-text/split-statements.ts'
import {
  conditionsIn,
  deedsIn,
  valuesInserted,
  valuesSetBy,
  type WrittenDeed,
} from '../sql-text/written-deeds.ts'
import type { Weight } from '../weight.ts'
import { askedFunctions, isTriggerFunction } from './functions.ts'

export const securityDefinerAsksNobody: Rule = {
  name: 'security-definer-asks-nobody',
  weight: 'leak',
  why:
    'It goes past policies as its owner and takes its caller’s word for who asks, or does not ask at all: whoever may call it ' +
    'reads or writes what is somebody else’s.',
  find: (catalog, names) =>
    [...askedFunctions(catalog)]
      .filter((routine) => routine.isSecurityDefiner && !isTriggerFunction(catalog, routine))
      .flatMap((routine) => faultOf(catalog, names, routine)),
}

function faultOf(catalog: Catalog, names: Names, routine: Routine): Fault[] {
  const callers = actedFor(catalog, names, callersOf(catalog, routine))
  const judged = callers.length === 0 ? null : judge(catalog, routine, callers)
  if (judged === null || asksWho(catalog, names, routine)) return []
  const who = namesOfRoles(catalog, callers)
  return [
    {
      object: calledAs(routine),
      weight: judged.weight,
      detail: `${who} may execute it, and it ${judged.does}`,
      mend: `-- until it asks who asks\nrevoke execute on ${grantedAs(routine)} from ${who};`,
    },
  ]
}

interface Judged {
  weight: Weight
  does: string
}

function judge(catalog: Catalog, routine: Routine, callers: readonly number[]): Judged | null {
  const given = givenTo(routine)
  if (showsCredential(routine, given)) return null
  return (
    judgeWrites(catalog, callers, given, new Set()) ??
    judgeReads(catalog, routine, keptIn(catalog, callers, routine), given)
  )
}

const keptIn = (catalog: Catalog, callers: readonly number[], routine: Routine): Reached[] =>
  reachOf(catalog, routine).relations.filter(
    ({ relation, deed }) =>
      isKeptFrom(catalog, callers, relation) &&
      (deed !== 'select' || !isReadByAll(catalog, callers, relation)),
  )

/** What it writes to itself, and in functions that it hands on to what it is given. */
function judgeWrites(
  catalog: Catalog,
  callers: readonly number[],
  given: Given,
  before: Set<Routine>,
): Judged | null {
  const { routine } = given
  if (before.has(routine)) return null
  before.add(routine)
  const kept = keptIn(catalog, callers, routine)
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

function saidBy({ verb, rest }: WrittenDeed, given: Given): string | null {
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
  if (inserted.some(({ column, value }) => somebody.test(column) && isGiven(value, given)))
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

function judgeReads(
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
    relation.columns.some(({ name }) => somebody.test(name)) &&
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
  return isEqual && isText && !condition.some(({ value }) => somebody.test(value))
}

/** Counts and sums tell of nobody in particular. */
const countsOnly = ({ types }: Catalog, { returns, returnsSet }: Routine): boolean =>
  !returnsSet && /^(int[248]|numeric|float[48])$/.test(types.get(returns)?.name ?? '')

/** A column that says whose a row is. */
const somebody =
  /^(?:user|account|owner|member|person|customer|profile|author|subject|recipient|sender|created_by|owned_by)(?:_?(?:id|uuid|uid))?$/i

/** Who somebody is, as an argument. */
const identity =
  /^(?:p|v|in|arg|the|my|_)?_?(?:current_|auth_|for_|by_|target_)?(?:user|account|owner|member|person|people|customer|profile|tenant|org|organi[sz]ation|team|author|subject|uid|workspace|company)(?:_?(?:id|uuid|uid))?_?$/i

interface Reached {
  relation: Relation
  deed: Deed
}

const numberOf = ({ argumentNames }: Routine, name: string) => `$${argumentNames.indexOf(name) + 1}`

const hasWord = (tokens: readonly Token[], word: string): boolean =>
  tokens.some(({ type, value }) => type === 'word' && value === word)

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

const isKeptFrom = (catalog: Catalog, callers: readonly number[], relation: Relation): boolean =>
  !relation.schema.isOfPostgres &&
  relation.kind !== 'S' &&
  (relation.rowSecurity || callers.some((role) => !isGranted(catalog, role, relation, 'select')))

/** By a policy of those who call, who may read all of it without it too. */
const isReadByAll = (catalog: Catalog, callers: readonly number[], relation: Relation): boolean =>
  callers.every(
    (role) =>
      isGranted(catalog, role, relation, 'select') &&
      relation.policies.some(
        ({ isPermissive, command, using, roles }) =>
          isPermissive &&
          (command === 'select' || command === 'all') &&
          using?.text === 'true' &&
          (roles.includes(0) || roles.includes(role)),
      ),
  ) && !relation.policies.some(({ isPermissive }) => !isPermissive)

const answersYesOrNo = ({ types }: Catalog, { returns }: Routine): boolean =>
  ['bool', 'void'].includes(types.get(returns)?.name ?? '')

const answersWithRows = ({ types }: Catalog, { returnsSet, returns }: Routine): boolean =>
  returnsSet ||
  ['json', 'jsonb', 'xml', 'refcursor', 'record'].includes(types.get(returns)?.name ?? '') ||
  types.get(returns)?.kind === 'c' ||
  (types.get(returns)?.element ?? 0) > 0

/**
 * A role that logs in is a server's, which says who asks by whatever means, and so is one that is trusted: what is asked
 * about are those that a server takes on for somebody else.
 */
function actedFor({ roles }: Catalog, names: Names, callers: readonly number[]): number[] {
  const trusted = names.trustedRoles
  return callers.filter((oid) => {
    const role = roles.get(oid)
    return role === undefined || !(role.canLogin || trusted.includes(role.name))
  })
}

export const securityDefinerAsksCurrentUser: Rule = {
  name: 'security-definer-asks-current-user',
  weight: 'failure',
  why:
    'Within a function that is security definer, current_user is its owner, whoever calls it: what it decides by that it decides ' +
    'for everybody alike, and what it notes down is wrong.',
  find: (catalog) =>
    [...askedFunctions(catalog)]
      .filter(({ isSecurityDefiner }) => isSecurityDefiner)
      .filter((routine) =>
        bodyOf(routine).some(
          ({ type, value }, place, tokens) =>
            type === 'word' &&
            (value === 'current_user' || value === 'current_role') &&
            !isSign(tokens[place - 1], '.'),
        ),
      )
      .map((routine) => ({
        object: calledAs(routine),
        mend:
          '-- or ask in its body what says who asks\n' +
          `alter ${calledAs(routine)} security invoker;`,
      })),
}

export const functionOutsideDatabase: Rule = {
  name: 'function-outside-database',
  weight: 'hole',
  why:
    'What is written in a language that is not trusted does what the server’s account may do on its machine, files and ' +
    'programs: no grant and no policy holds it, security definer or not.',
  find: (catalog) =>
    [...askedFunctions(catalog)].flatMap((routine) => {
      const { language } = routine
      if (catalog.detours.trustedLanguages.has(language) || routine.kind === 'aggregate') return []
      const callers = callersOf(catalog, routine)
      if (callers.length === 0) return []
      const who = namesOfRoles(catalog, callers)
      return [
        {
          object: calledAs(routine),
          ...(language === 'internal' || language === 'c' ? { weight: 'leak' as const } : {}),
          detail:
            language === 'internal'
              ? `${who} may execute it, and it stands for one of Postgres’ own, whose grants it does not have`
              : `${who} may execute it, and it is in ${language}`,
          mend: `revoke execute on ${grantedAs(routine)} from ${who};`,
        },
      ]
    }),
}
