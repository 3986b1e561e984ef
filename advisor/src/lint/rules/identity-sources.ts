import type { Catalog, Policy, Routine } from '../../catalog/catalog.ts'
import { type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import type { Names } from '../../names.ts'
import { asksSomebody } from '../asking/branches.ts'
import { columnsBelow } from '../asking/pinned-columns.ts'
import { policiesOf } from '../asking/policies-of.ts'
import { nameRoles } from '../asking/reach.ts'
import { type Surroundings, surroundingsOf } from '../asking/surroundings.ts'
import { operatorOf } from '../asking/value.ts'
import { viewQuery } from '../asking/view-query.ts'
import { tokensOf } from '../expressions/body-tokens.ts'
import { legibleIn, textOf } from '../expressions/constants.ts'
import { calledFunctions } from '../expressions/find-calls.ts'
import { findNodes, type KeptType, placesOf } from '../expressions/find-nodes.ts'
import { resolveColumn, scopeOf } from '../expressions/scope.ts'
import { nodesBelow, relationsNamedIn } from '../expressions/trees.ts'
import { argumentsOf, type Place, unwrap } from '../expressions/unwrap.ts'
import { inComment } from '../mends/in-comment.ts'
import { closePolicy, expressionsOf } from '../mends/policy-expressions.ts'
import type { Fault, Rule } from '../rule.ts'
import { isDoor } from './login-roles.ts'

const placesIn = (policy: Policy, type: KeptType): Place[] =>
  expressionsOf(policy).flatMap(({ expression }) =>
    placesOf(expression.tree, policy.relation.oid, type),
  )

const columnsIn = (policy: Policy): Place[] =>
  expressionsOf(policy).flatMap(({ expression }) =>
    findNodes(expression.tree, scopeOf(policy.relation.oid), ({ type }) => type === 'VAR'),
  )

/** The functions that policies call, by name or through an operator, and those that these call. */
function helpersOf(catalog: Catalog, { identity }: Surroundings): Map<Routine, Policy> {
  const helpers = new Map<Routine, Policy>()
  for (const policy of policiesOf(catalog))
    for (const { expression } of expressionsOf(policy))
      for (const oid of calledFunctions(expression.tree)) {
        const routine = catalog.functions.get(Number(oid))
        if (routine !== undefined && !routine.schema.isOfPostgres && !helpers.has(routine))
          helpers.set(routine, policy)
      }
  for (const [routine, policy] of helpers)
    for (const called of identity.calledBy(routine))
      if (!helpers.has(called)) helpers.set(called, policy)
  return helpers
}

export const identityFromSetting: Rule = {
  name: 'identity-from-setting',
  weight: 'hole',
  why:
    'Whoever can send SQL can set a setting, also through an injection or set_config in a query: it says whoever it is ' +
    'told to. Unless nobody but a server in front can, who asks has to be proven, as by a token whose hash is kept.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    const { identity } = around
    const inPolicies = policiesOf(catalog).flatMap((policy) => {
      const read = [...placesIn(policy, 'FUNCEXPR'), ...callsInViews(catalog, policy)].flatMap(
        ({ node }) => (isCurrentSetting(catalog, node) ? identity.sourcesOf(node) : []),
      )
      const settings = new Set(
        read.flatMap((source) => (source.kind === 'setting' ? [source.setting] : [])),
      )
      return settings.size === 0 ? [] : [settingFault(policy.object, [...settings], names)]
    })
    const inHelpers = [...helpersOf(catalog, around)].flatMap(([routine, policy]) => {
      const settings = new Set(identity.settingsReadBy(routine))
      if (!routine.isAsked || settings.size === 0) return []
      return [settingFault(`${routine.kind} ${routine.sql}`, [...settings], names, policy)]
    })
    return [...inHelpers, ...inPolicies]
  },
}

/** What views that a policy asks stand for, whoever may see the setting in them. */
const callsInViews = ({ relations }: Catalog, policy: Policy): { node: TreeNode }[] =>
  expressionsOf(policy).flatMap(({ expression }) =>
    [...relationsNamedIn(expression.tree)].flatMap((oid) => {
      const relation = relations.get(oid)
      const query = relation?.kind === 'v' ? viewQuery(relation) : null
      return query === null
        ? []
        : [...nodesBelow(query)].flatMap((node) => (node.type === 'FUNCEXPR' ? [{ node }] : []))
    }),
  )

const isCurrentSetting = ({ functions }: Catalog, node: TreeNode): boolean => {
  const routine = functions.get(Number(wordOf(node, 'funcid')))
  return routine?.name === 'current_setting' && routine.schema.isOfPostgres
}

/** `app.session_user_id` says whose session it is, and everybody may know that. */
const saysWho =
  /(user|account|member|person|customer|tenant|org|organi[sz]ation|team|role|e?mail|name)(_?u?u?id)?$/

function settingFault(object: string, settings: string[], names: Names, policy?: Policy): Fault {
  // What nobody else knows proves something, as long as that is so.
  const isSecret = settings.every(
    (setting) => /session|token|secret|proof/.test(setting) && !saysWho.test(setting),
  )
  const [trusted] = names.identityFunctions
  const instead =
    trusted === undefined
      ? 'a function that holds a proof against its hash'
      : `(select ${trusted}())`
  const trusting = settings.map((setting) => `--trust-setting ${setting}`).join(' ')
  return {
    object,
    ...(isSecret ? { weight: 'leak' as const } : {}),
    detail: `it believes ${settings.join(', ')}${policy === undefined ? '' : `, and ${policy.object} goes by it`}`,
    mend:
      `-- to be decided: can anybody but the server in front send SQL as the role of requests, or set ${inComment(settings.join(', '))}?\n` +
      `-- If so, ask ${instead} instead; if not, say so: lint ${inComment(trusting)}`,
  }
}

/** What a person may write into their own account, and into no token that is to be believed. */
const editable = new Set(['user_metadata', 'raw_user_meta_data'])

export const identityFromUserMetadata: Rule = {
  name: 'identity-from-user-metadata',
  weight: 'hole',
  why:
    'People change the metadata of their own account themselves: whatever stands there, roles and teams too, is what they ' +
    'say of themselves. What the server alone writes is app_metadata.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    const hasColumns = [...catalog.relations.values()].some(({ columns }) =>
      columns.some(({ name }) => editable.has(name)),
    )
    const inPolicies = policiesOf(catalog).flatMap((policy) =>
      [...placesIn(policy, 'CONST'), ...(hasColumns ? columnsIn(policy) : [])].some((place) =>
        isEditable(catalog, place),
      )
        ? [
            {
              object: policy.object,
              detail: 'it goes by user_metadata',
              mend: `-- where is what it asks for written by the server alone? Until that is said, nobody gets in by it\n${closePolicy(policy)}`,
            },
          ]
        : [],
    )
    const inHelpers = [...helpersOf(catalog, around)].flatMap(([routine, policy]) =>
      routine.isAsked &&
      tokensOf(routine.sqlBody?.text ?? routine.source ?? '').some(({ text }) =>
        editable.has(text.replaceAll(/[{}]/g, '').split(',')[0] ?? ''),
      )
        ? [
            {
              object: `${routine.kind} ${routine.sql}`,
              detail: `it goes by user_metadata, and ${policy.object} by it`,
              mend: '-- to be decided: where is what it asks for written by the server alone? Read it there, as app_metadata',
            },
          ]
        : [],
    )
    return [...inHelpers, ...inPolicies]
  },
}

function isEditable({ relations }: Catalog, { node, scope }: Place): boolean {
  const text = textOf(node)
  if (text !== null) return editable.has(text.replaceAll(/[{}]/g, '').split(',')[0] ?? '')
  // A path that is an array of texts, a jsonb that is to be contained, a jsonpath.
  if (node.type === 'CONST') {
    const legible = legibleIn(node)
    return [...editable].some((name) => legible.includes(name))
  }
  const found = resolveColumn(node, scope)
  const column = relations
    .get(found?.relation ?? 0)
    ?.columns.find(({ number }) => number === found?.column)
  return column !== undefined && editable.has(column.name)
}

/** like, not like, ilike, regular expressions, as operators. */
const patterns = new Set(['~~', '~~*', '~', '~*'])
const foldings = new Set(['lower', 'upper'])
/** The type, by its oid. */
const UUID = 2950

export const identityByPattern: Rule = {
  name: 'identity-by-pattern',
  weight: 'hole',
  why:
    'A pattern is met by others than the one who is meant: people choose what they are called, and an address that ends ' +
    'or begins like another is easily had. Who asks is compared with =, by what nobody chooses.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    return policiesOf(catalog).flatMap((policy) => {
      const details = [
        ...placesIn(policy, 'OPEXPR').flatMap((place) => patternFault(around, place) ?? []),
        ...orderFaults(around, policy),
        ...placesIn(policy, 'FUNCEXPR').flatMap((place) => partFault(around, place) ?? []),
      ]
      const [first] = details
      if (first === undefined) return []
      const isLight = details.every(({ weight }) => weight === 'leak')
      return [
        {
          object: policy.object,
          detail: first.detail,
          ...(isLight ? { weight: 'leak' as const } : {}),
          mend: `-- which column holds the id of who is meant? Compare that with =; until then, nobody gets in by it\n${closePolicy(policy)}`,
        },
      ]
    })
  },
}

interface PatternFault {
  detail: string
  weight: 'hole' | 'leak'
}

/** Functions that are met where one text has something of another: what is looked in, and what for. */
const partFunctions = new Set([
  ...['starts_with', 'position', 'strpos'],
  ...['regexp_like', 'regexp_match', 'regexp_matches', 'regexp_count', 'regexp_instr'],
])

function partFault({ asking, catalog }: Surroundings, { node, scope }: Place): PatternFault | null {
  const routine = catalog.functions.get(Number(wordOf(node, 'funcid')))
  if (routine?.schema.isOfPostgres !== true || !partFunctions.has(routine.name)) return null
  const sides = argumentsOf(node).slice(0, 2)
  const isHeld =
    sides.some((side) => asksSomebody(side, scope, asking)) &&
    sides.some((side) => columnsBelow(side, scope).length > 0)
  return isHeld
    ? { detail: `${routine.name} is met where a part of who asks is in a column`, weight: 'hole' }
    : null
}

/** Between two, as `between me and me`, there may be one alone. */
function orderFaults(around: Surroundings, policy: Policy): PatternFault[] {
  const found = placesIn(policy, 'OPEXPR').flatMap((place) => orderFault(around, place) ?? [])
  const [one] = found
  return found.length === 1 && one !== undefined ? [one] : []
}

/** The id of who asks says nothing by being more or less than another. */
function orderFault(
  { asking, catalog }: Surroundings,
  { node, scope }: Place,
): PatternFault | null {
  const operator = operatorOf(node, catalog)
  if (!['<', '<=', '>', '>='].includes(operator)) return null
  const isHeld = argumentsOf(node).some((side, index, sides) => {
    const other = sides[1 - index]
    const place = unwrap(side, scope)
    const column = resolveColumn(place.node, place.scope)
    const type = catalog.relations
      .get(column?.relation ?? 0)
      ?.columns.find(({ number }) => number === column?.column)?.type
    return type === UUID && other !== undefined && asksSomebody(other, scope, asking)
  })
  return isHeld
    ? {
        detail: `who asks is held against a column by ${operator}: ids of others are more or less too`,
        weight: 'hole',
      }
    : null
}

function patternFault(around: Surroundings, { node, scope }: Place): PatternFault | null {
  const { asking, catalog } = around
  const operator = operatorOf(node, catalog)
  const [one, other] = argumentsOf(node)
  if (one === undefined || other === undefined) return null
  const asks = [one, other].map((side) => asksSomebody(side, scope, asking))
  if (!asks.includes(true)) return null
  if (patterns.has(operator)) {
    const pattern = textOf(unwrap(other, scope).node)
    if (pattern === null)
      return {
        detail: 'who asks is held against a pattern that is made of a column, or is one',
        weight: 'hole',
      }
    return isLoose(operator, pattern)
      ? { detail: `’${pattern}’ is met by addresses of others too`, weight: 'leak' }
      : null
  }
  if (operator !== '=') return null
  const isFolded = [one, other].every((side) =>
    foldings.has(nameOfCall(catalog, unwrap(side, scope).node)),
  )
  const columns = [one, other].flatMap((side) => columnsBelow(side, scope))
  return isFolded && columns.length > 0
    ? {
        detail:
          'who asks is told by a text whose case does not count: two accounts may differ in nothing else',
        weight: 'leak',
      }
    : null
}

const nameOfCall = ({ functions }: Catalog, node: TreeNode): string =>
  node.type === 'FUNCEXPR' ? (functions.get(Number(wordOf(node, 'funcid')))?.name ?? '') : ''

/** A domain has to be whole: from the @ to the end. */
function isLoose(operator: string, pattern: string): boolean {
  if (operator.startsWith('~~'))
    return /^%[^%_]*$/.test(pattern) ? !/^%@/.test(pattern) : /%$/.test(pattern)
  return !pattern.endsWith('$') || !pattern.includes('@')
}

/** SQLValueFunctionOp: current_role, current_user, user; session_user. */
const roleWords = new Map([
  ['9', 'current_role'],
  ['10', 'current_user'],
  ['11', 'user'],
  ['12', 'session_user'],
])

export const identityIsDatabaseRole: Rule = {
  name: 'identity-is-database-role',
  weight: 'hole',
  why:
    'All requests act as the same few roles: a row that belongs to the role belongs to everybody who has signed in. ' +
    'session_user is the role that the server logs in as, for all of them.',
  find: (catalog, names) => {
    const shared = sharedRoles(catalog)
    const around = surroundingsOf(catalog, names)
    return around.policies.flatMap((policy) => {
      const roles = [...around.reach.rolesOfPolicy(policy)]
      // Where people log in to the database themselves, the role is who they are.
      if (
        roles.length === 0 ||
        (names.requestRoles === null && !roles.some((role) => shared.has(role)))
      )
        return []
      const words = placesIn(policy, 'OPEXPR').flatMap(
        (place) => comparedRoleWord(catalog, place) ?? [],
      )
      const [word] = words
      return word === undefined
        ? []
        : [
            {
              object: policy.object,
              detail: `it compares a column with ${word}, which is ${word === 'session_user' ? 'the same for every request' : `one of ${nameRoles(catalog, around.reach.rolesOfPolicy(policy))}`}`,
              mend: `-- what says who asks, and which column holds it? Until that is said, nobody gets in by it\n${closePolicy(policy)}`,
            },
          ]
    })
  },
}

function comparedRoleWord(catalog: Catalog, { node, scope }: Place): string | null {
  if (operatorOf(node, catalog) !== '=') return null
  const sides = argumentsOf(node)
  const words = sides.flatMap((side) => {
    const inner = unwrap(side, scope).node
    return inner.type === 'SQLVALUEFUNCTION' ? (roleWords.get(wordOf(inner, 'op')) ?? []) : []
  })
  return sides.some((side) => columnsBelow(side, scope).length > 0) ? (words[0] ?? null) : null
}

/** The roles that others log in to become: many people act as each. */
const sharedRoles = ({ roles }: Catalog): Set<number> =>
  new Set(
    [...roles.values()]
      .filter(isDoor)
      .flatMap(({ memberships }) => memberships.map(({ role }) => role)),
  )
