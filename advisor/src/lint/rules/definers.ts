/** Functions that are security definer, and what they let a request reach. */
import type { Catalog, Relation, Routine } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import { calledAs, callersOf, grantedAs, namesOfRoles } from '../rights/askers.ts'
import { isGranted } from '../rights/read-past.ts'
import type { Fault, Rule } from '../rule.ts'
import { asksWho } from '../sql-text/asks-who.ts'
import { bodyOf } from '../sql-text/body-of.ts'
import { isSign } from '../sql-text/find-names.ts'
import { type Deed, reachOf } from '../sql-text/reach-of.ts'
import type { Token } from '../sql-text/read-tokens.ts'
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
  if (callers.length === 0 || routine.argumentNames.some((name) => credential.test(name))) return []
  const kept = reachOf(catalog, routine).relations.filter(({ relation }) =>
    isKeptFrom(catalog, callers, relation),
  )
  const judged = kept.length === 0 ? null : judge(catalog, routine, kept)
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

/** Whoever knows it has shown who they are. */
const credential =
  /token|secret|passw|code|hash|key|signature|otp|nonce|challenge|verifier|proof|cookie|session|invit/i

/** Who somebody is, as an argument. */
const identity =
  /^(?:p|v|in|arg|the|my|_)?_?(?:current_|auth_|for_|by_|target_)?(?:user|account|owner|member|person|people|customer|profile|tenant|org|organi[sz]ation|team|author|subject|uid|workspace|company)(?:_?(?:id|uuid|uid))?_?$/i

interface Reached {
  relation: Relation
  deed: Deed
}

function judge(
  catalog: Catalog,
  routine: Routine,
  kept: readonly Reached[],
): { weight: Weight; does: string } | null {
  const tokens = bodyOf(routine)
  const given = argumentsOf(routine)
  const deleted = kept.find(({ deed }) => deed === 'delete' || deed === 'truncate')
  if (
    deleted !== undefined &&
    (given.size === 0 ? !hasWord(tokens, 'where') : comparesOneOf(tokens, given))
  )
    return { weight: 'hole', does: `deletes what its caller names in ${deleted.relation.sql}` }
  const updated = kept.find(({ deed }) => deed === 'update')
  if (updated !== undefined && setsOneOf(tokens, given) && comparesOneOf(tokens, given))
    return { weight: 'hole', does: `writes what its caller says in ${updated.relation.sql}` }
  const read = kept.find(({ deed }) => deed === 'select')
  if (read === undefined || answersYesOrNo(catalog, routine)) return null
  const who = routine.argumentNames.find(
    (name) =>
      identity.test(name) && comparesOneOf(tokens, new Set([name, numberOf(routine, name)])),
  )
  if (who !== undefined)
    return { weight: 'leak', does: `reads ${read.relation.sql} of whomever ${who} names` }
  const isWhole = given.size === 0 && answersWithRows(catalog, routine) && !hasWord(tokens, 'where')
  return isWhole ? { weight: 'leak', does: `shows every row of ${read.relation.sql}` } : null
}

const numberOf = ({ argumentNames }: Routine, name: string) => `$${argumentNames.indexOf(name) + 1}`

/** By name and by number. */
function argumentsOf({ argumentTypes, argumentNames }: Routine): Set<string> {
  const numbers = argumentTypes.map((_, place) => `$${place + 1}`)
  return new Set([
    ...numbers,
    ...argumentNames.slice(0, argumentTypes.length).filter((name) => name !== ''),
  ])
}

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

/** Between `set` and `where`. */
function setsOneOf(tokens: readonly Token[], names: ReadonlySet<string>): boolean {
  const set = tokens.findIndex(({ type, value }) => type === 'word' && value === 'set')
  if (set === -1) return false
  const rest = tokens.slice(set)
  const where = rest.findIndex(({ type, value }) => type === 'word' && value === 'where')
  return rest
    .slice(0, where === -1 ? undefined : where)
    .some(
      ({ type, value }, place) =>
        type !== 'string' && place > 0 && isSign(rest[place - 1], '=') && names.has(value),
    )
}

const isKeptFrom = (catalog: Catalog, callers: readonly number[], relation: Relation): boolean =>
  !relation.schema.isOfPostgres &&
  relation.kind !== 'S' &&
  (relation.rowSecurity || callers.some((role) => !isGranted(catalog, role, relation, 'select')))

const answersYesOrNo = ({ types }: Catalog, { returns }: Routine): boolean =>
  ['bool', 'void'].includes(types.get(returns)?.name ?? '')

const answersWithRows = ({ types }: Catalog, { returnsSet, returns }: Routine): boolean =>
  returnsSet || ['json', 'jsonb', 'xml'].includes(types.get(returns)?.name ?? '')

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
