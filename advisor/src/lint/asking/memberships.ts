import type { Catalog, Relation } from '../../catalog/catalog.ts'
import { nodesIn, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import { findNodes } from '../expressions/find-nodes.ts'
import {
  armsOf,
  entriesKept,
  rangeTableOf,
  relationsKept,
  resolveColumn,
  restrictionsOf,
  type Scope,
  scopeOf,
  targetsOf,
  within,
} from '../expressions/scope.ts'
import { ANY, ARRAY, argumentsOf, EXISTS, queryOf, unwrap, VALUE } from '../expressions/unwrap.ts'
import { asksSomebody } from './branches.ts'
import type { Surroundings } from './surroundings.ts'
import { operatorOf } from './value.ts'
import { viewQuery } from './view-query.ts'

/** A sub-select of a policy that looks for a row of one table. */
export interface Membership {
  table: Relation
  /** The columns of that table that the sub-select speaks of. */
  mentioned: Set<number>
  /** That it speaks of the row. */
  comparesRow: boolean
  /** That it asks who it is. */
  asks: boolean
  /** That it asks nothing but which row of that table belongs to the policy's. */
  isBare: boolean
  /** That it asks who it is of one row, and what belongs to the policy's of another, and nothing holds the two together. */
  isTorn: boolean
  /** That everybody stands in that table once, and something is asked of them beside: as of an administrator. */
  isOffice: boolean
  /** The columns of that table in which people stand. */
  people: number[]
  /** Columns of that table and of the policy's that are of the same thing. */
  shared(): { column: number; ofRow: number }[]
}

/** A query whose rows decide, with what is asked of each of them. */
interface Looking {
  query: TreeNode
  around: Scope
  /** `bool_or (…)`, which is met where one row meets it. */
  inside: TreeNode[]
  tests: TreeNode[]
  answers: boolean
}

/**
 * One for each way, of those that `or` and `union` divide, in which the sub-select may have a row.
 * @param condition one that may be a sub-select: `exists (…)`, `x in (…)`, `(select count(*) …) > 0`
 */
export function membershipsIn(
  condition: TreeNode,
  relation: Relation,
  around: Surroundings,
): Membership[] {
  return lookingIn(condition, scopeOf(relation.oid), around.catalog).flatMap((looking) =>
    armsOf(looking.query, looking.around).flatMap((arm) => {
      const parts = [...restrictionsOf(arm.query), ...looking.inside].map(waysOf)
      const ways = parts.reduce<TreeNode[][]>(
        (all, part) => all.flatMap((one) => part.map((other) => [...one, ...other])),
        [[]],
      )
      return ways.flatMap((way) =>
        membershipOf({ ...looking, ...arm }, way, ways.length > 1, relation, around),
      )
    }),
  )
}

/** At most so many, or they would multiply; what is more stays together. */
const MOST_WAYS = 8

/** What `or` divides, each with what `and` joins in it. */
function waysOf(node: TreeNode): TreeNode[][] {
  const word = node.type === 'BOOLEXPR' ? wordOf(node, 'boolop') : ''
  if (word !== 'or' && word !== 'and') return [[node]]
  const parts = argumentsOf(node).map(waysOf)
  const ways =
    word === 'or'
      ? parts.flat()
      : parts.reduce<TreeNode[][]>(
          (all, part) => all.flatMap((one) => part.map((other) => [...one, ...other])),
          [[]],
        )
  return ways.length > MOST_WAYS ? [[node]] : ways
}

function membershipOf(
  { query, around: outside, tests, answers }: Looking,
  way: TreeNode[],
  isOneOfMany: boolean,
  relation: Relation,
  { asking, catalog }: Surroundings,
): Membership[] {
  const kept = relationsKept(query)
  const [oid] = kept
  const isTwice = kept.length === 2 && kept.every((other) => other === oid)
  const named = oid === undefined || (kept.length > 1 && !isTwice) ? undefined : oid
  const base = named === undefined ? null : baseOf(catalog, named)
  if (base === null || base.table.oid === relation.oid) return []
  const { table, columnIn } = base
  if (table.kind !== 'r' && table.kind !== 'p') return []
  const scope = within(outside, query)
  const columnsAt = (node: TreeNode, from: Scope) =>
    findNodes(node, from, ({ type }) => type === 'VAR').flatMap((place) => {
      const column = resolveColumn(place.node, place.scope)
      if (column === null) return []
      return column.isOfRow || column.relation !== named
        ? [column]
        : [{ ...column, column: columnIn(column.column), relation: table.oid }]
    })
  const answered = answers ? targetsOf(query) : []
  const queries = rangeTableOf(query).filter((entry) => wordOf(entry, 'rtekind') === '1')
  const columns = [
    ...tests.flatMap((test) => columnsAt(test, outside)),
    ...[...answered, ...way, ...queries, ...nodesIn(query, 'cteList')].flatMap((node) =>
      columnsAt(node, scope),
    ),
  ]
  const isOfTable = (column: { isOfRow: boolean; relation: number }) =>
    !column.isOfRow && column.relation === table.oid
  const asks = (node: TreeNode) => asksSomebody(node, scope, asking)
  const whoAsks = way.filter(asks)
  const isLinked = (node: TreeNode) => {
    const found = columnsAt(node, scope)
    return found.some(({ isOfRow }) => isOfRow) && found.some(isOfTable)
  }
  const isAsked =
    asking.isAskedFor(named ?? 0) ||
    whoAsks.length > 0 ||
    tests.some((test) => asksSomebody(test, outside, asking)) ||
    [...queries, ...nodesIn(query, 'cteList'), ...answered].some(asks)
  const people = peopleIn(catalog, table)
  const isOffice =
    way.length > 1 &&
    (people.some((person) => isUnique(table, person)) ||
      (isOneOfMany && whoAsks.length < way.length))
  const isTorn =
    isTwice && whoAsks.length > 0 && !asking.isAskedFor(table.oid) && isApart(way, tests, answered)
  function isApart(parts: TreeNode[], held: TreeNode[], told: TreeNode[]): boolean {
    const entries = entriesKept(query)
    const groups = new Map(entries.map((entry) => [entry, entry]))
    const speaksOf = (node: TreeNode) =>
      columnsAt(node, scope).flatMap(({ key, isOfRow }) => {
        const [depth, entry] = key.split('.')
        return !isOfRow && depth === String(scope.queries.length) ? [Number(entry)] : []
      })
    for (const part of parts) {
      const [first, ...others] = speaksOf(part)
      for (const other of others)
        for (const [entry, group] of groups)
          if (group === groups.get(other)) groups.set(entry, groups.get(first ?? other) ?? entry)
    }
    const groupsOf = (nodes: TreeNode[]) =>
      new Set(nodes.flatMap(speaksOf).map((entry) => groups.get(entry)))
    const ofRow = groupsOf([
      ...parts.filter((part) => columnsAt(part, scope).some(({ isOfRow }) => isOfRow)),
      ...(held.length > 0 ? told : []),
    ])
    const ofWho = groupsOf(parts.filter(asks))
    return ofRow.size > 0 && ofWho.size > 0 && [...ofRow].every((group) => !ofWho.has(group))
  }
  return [
    {
      table,
      mentioned: new Set(columns.filter(isOfTable).map(({ column }) => column)),
      comparesRow: columns.some(({ isOfRow }) => isOfRow),
      asks: isAsked,
      isBare: isTwice || way.every(isLinked),
      isTorn,
      isOffice,
      people,
      shared: () => sharedColumns(catalog, table, relation),
    },
  ]
}

/** A table, or what a view without conditions shows of one. */
function baseOf(
  { relations }: Catalog,
  oid: number,
): { table: Relation; columnIn: (column: number) => number } | null {
  const table = relations.get(oid)
  if (table === undefined) return null
  const query = table.kind === 'v' ? viewQuery(table) : null
  if (query === null) return { table, columnIn: (column) => column }
  const kept = relationsKept(query)
  const base = kept.length === 1 ? relations.get(kept[0] ?? 0) : undefined
  if (base === undefined || base.kind === 'v' || restrictionsOf(query).length > 0) return null
  const targets = targetsOf(query)
  return {
    table: base,
    columnIn: (column) => {
      const target = targets[column - 1]
      return target?.type === 'VAR' ? Number(wordOf(target, 'varattno')) : 0
    },
  }
}

/** Of `exists (…)`, `x in (…)`, `x = any (array (…))`, `(select count(*) …) > 0` and `(select bool_or(…) …)`. */
function lookingIn(start: TreeNode, around: Scope, catalog: Catalog): Looking[] {
  const condition = start.type === 'COALESCEEXPR' ? (argumentsOf(start)[0] ?? start) : start
  const type = wordOf(condition, 'subLinkType')
  if (condition.type === 'SUBLINK') {
    const query = queryOf(condition)
    const tests = nodesIn(condition, 'testexpr')
    if (query === undefined) return []
    if (type === EXISTS || type === ANY)
      return [{ query, around, inside: [], tests, answers: type === ANY }]
    const gathered = type === VALUE ? aggregateOf(query, catalog) : null
    return gathered?.name === 'bool_or'
      ? [{ query, around, inside: gathered.arguments, tests: [], answers: false }]
      : []
  }
  if (condition.type === 'OPEXPR') return countingIn(condition, around, catalog)
  if (condition.type !== 'SCALARARRAYOPEXPR') return []
  const [one, list] = argumentsOf(condition)
  const query =
    list?.type === 'SUBLINK' && wordOf(list, 'subLinkType') === ARRAY ? queryOf(list) : undefined
  return query === undefined || one === undefined
    ? []
    : [{ query, around, inside: [], tests: [one], answers: true }]
}

function countingIn(condition: TreeNode, around: Scope, catalog: Catalog): Looking[] {
  const sides = argumentsOf(condition)
  const operator = operatorOf(condition, catalog)
  return sides.flatMap((side, index) => {
    const query =
      side.type === 'SUBLINK' && wordOf(side, 'subLinkType') === VALUE ? queryOf(side) : undefined
    const isMore = (index === 0 ? ['>', '>=', '<>'] : ['<', '<=', '<>']).includes(operator)
    if (query === undefined || !isMore || sides[1 - index]?.type !== 'CONST') return []
    return aggregateOf(query, catalog)?.name === 'count'
      ? [{ query, around, inside: [], tests: [], answers: false }]
      : []
  })
}

/** What a query that answers with one value for all of its rows makes of them. */
function aggregateOf(
  query: TreeNode,
  { functions }: Catalog,
): { name: string; arguments: TreeNode[] } | null {
  const [target] = targetsOf(query)
  if (target === undefined) return null
  const { node } = unwrap(target, { queries: [query], relation: 0 })
  if (node.type !== 'AGGREF' || nodesIn(query, 'havingQual').length > 0) return null
  return {
    name: functions.get(Number(wordOf(node, 'aggfnoid')))?.name ?? '',
    arguments: argumentsOf(node).flatMap((entry) => nodesIn(entry, 'expr')),
  }
}

/** Whether no two rows have the same in a column. */
export const isUnique = ({ indexes }: Relation, column: number): boolean =>
  indexes.some(
    ({ isUnique: is, columns, predicate }) =>
      is && predicate === null && columns.length === 1 && columns[0] === column,
  )

const peoplesTables = /^(users?|profiles?|accounts?|people|persons?|auth_users?)$/
const peoplesColumns =
  /^(user|member|owner|profile|person|author|account|reader|employee|customer)(_?id|_uuid)?$/

/** By what a foreign key refers to, and by name where there is none. */
const known = new WeakMap<Relation, number[]>()

export function peopleIn(catalog: Catalog, table: Relation): number[] {
  const people = known.get(table) ?? findPeople(catalog, table)
  known.set(table, people)
  return people
}

function findPeople(
  { relations }: Catalog,
  { name: table, columns, constraints }: Relation,
): number[] {
  return columns.flatMap(({ number, name }) => {
    const keys = constraints.filter(
      ({ type, columns: of }) => type === 'f' && of.length === 1 && of[0] === number,
    )
    const refers = keys.flatMap(({ refers: to }) => relations.get(to?.relation ?? 0)?.name ?? [])
    // One's own row of the table of people.
    if (keys.length === 0 && name === 'id') return peoplesTables.test(table) ? [number] : []
    const isPerson =
      refers.length > 0
        ? refers.some((other) => peoplesTables.test(other))
        : peoplesColumns.test(name)
    return isPerson ? [number] : []
  })
}

/** What every table has says nothing. */
const common = /^(id|name|title|body|status|kind|type|role|.*_at|.*_on)$/

function sharedColumns(
  catalog: Catalog,
  table: Relation,
  relation: Relation,
): ReturnType<Membership['shared']> {
  const people = new Set([...peopleIn(catalog, relation)])
  const targets = (of: Relation) =>
    of.constraints.flatMap(({ type, columns, refers }) => {
      const [column] = columns
      return type === 'f' && columns.length === 1 && column !== undefined && refers !== null
        ? [{ column, to: `${refers.relation} ${refers.columns[0]}` }]
        : []
    })
  const ofRow = new Map(targets(relation).map(({ column, to }) => [to, column]))
  for (const { number } of relation.columns) ofRow.set(`${relation.oid} ${number}`, number)
  const byKey = targets(table).flatMap(({ column, to }) => {
    const own = ofRow.get(to)
    return own === undefined || people.has(own) ? [] : [{ column, ofRow: own }]
  })
  const byName = table.columns.flatMap(({ number, name, type }) => {
    const own = relation.columns.find((column) => column.name === name && column.type === type)
    return own === undefined ||
      common.test(name) ||
      people.has(own.number) ||
      !/(_id|_uuid|Id)$/.test(name)
      ? []
      : [{ column: number, ofRow: own.number }]
  })
  const peopleThere = new Set(peopleIn(catalog, table))
  return [...byKey, ...byName].filter(({ column }) => !peopleThere.has(column))
}
