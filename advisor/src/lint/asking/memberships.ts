import type { Catalog, Relation } from '../../catalog/catalog.ts'
import { type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import { findNodes } from '../expressions/find-nodes.ts'
import { conditionsOf, relationsOf, resolveColumn, scopeOf, within } from '../expressions/scope.ts'
import { ANY, ARRAY, argumentsOf, EXISTS, queryOf } from '../expressions/unwrap.ts'
import { asksSomebody } from './branches.ts'
import type { Surroundings } from './surroundings.ts'

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
  /** That everybody stands in that table once, and something is asked of them beside: as of an administrator. */
  isOffice: boolean
  /** The columns of that table in which people stand. */
  people: number[]
  /** Columns of that table and of the policy's that are of the same thing. */
  shared: { column: number; ofRow: number }[]
}

/** @param condition one that may be a sub-select: `exists (…)`, `x in (…)` */
export function membershipsIn(
  condition: TreeNode,
  relation: Relation,
  { asking, catalog }: Surroundings,
): Membership[] {
  const query = queryIn(condition)
  const [oid, second] = query === undefined ? [] : relationsOf(query)
  const table = oid === undefined || second !== undefined ? undefined : catalog.relations.get(oid)
  if (
    query === undefined ||
    table === undefined ||
    table.oid === relation.oid ||
    (table.kind !== 'r' && table.kind !== 'p')
  )
    return []
  const scope = within(scopeOf(relation.oid), query)
  const columns = findNodes(
    condition,
    scopeOf(relation.oid),
    ({ type: kind }) => kind === 'VAR',
  ).flatMap((place) => resolveColumn(place.node, place.scope) ?? [])
  const conditions = conditionsOf(query).flatMap(conjunctsOf)
  const speaksOfRow = (node: TreeNode) =>
    findNodes(node, scope, ({ type: kind }) => kind === 'VAR').some(
      (place) => resolveColumn(place.node, place.scope)?.isOfRow === true,
    )
  return [
    {
      table,
      mentioned: new Set(
        columns.flatMap((column) =>
          !column.isOfRow && column.relation === table.oid ? [column.column] : [],
        ),
      ),
      comparesRow: columns.some(({ isOfRow }) => isOfRow),
      asks: asksSomebody(condition, scopeOf(relation.oid), asking),
      isBare: conditions.every(speaksOfRow),
      isOffice:
        conditions.length > 1 && peopleIn(catalog, table).some((person) => isUnique(table, person)),
      people: peopleIn(catalog, table),
      shared: sharedColumns(catalog, table, relation),
    },
  ]
}

/** Of `exists (…)`, `x in (…)` and `x = any (array (…))`. */
function queryIn(condition: TreeNode): TreeNode | undefined {
  const type = wordOf(condition, 'subLinkType')
  if (condition.type === 'SUBLINK')
    return type === EXISTS || type === ANY ? queryOf(condition) : undefined
  if (condition.type !== 'SCALARARRAYOPEXPR') return undefined
  const [, list] = argumentsOf(condition)
  return list?.type === 'SUBLINK' && wordOf(list, 'subLinkType') === ARRAY
    ? queryOf(list)
    : undefined
}

/** Whether no two rows have the same in a column. */
export const isUnique = ({ indexes }: Relation, column: number): boolean =>
  indexes.some(
    ({ isUnique: is, columns, predicate }) =>
      is && predicate === null && columns.length === 1 && columns[0] === column,
  )

const conjunctsOf = (node: TreeNode): TreeNode[] =>
  node.type === 'BOOLEXPR' && wordOf(node, 'boolop') === 'and'
    ? argumentsOf(node).flatMap(conjunctsOf)
    : [node]

const peoplesTables = /^(users?|profiles?|accounts?|people|persons?|auth_users?)$/
const peoplesColumns =
  /^(user|member|owner|profile|person|author|account|reader|employee|customer)(_?id|_uuid)?$/

/** By what a foreign key refers to, and by name where there is none. */
function peopleIn(
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
): Membership['shared'] {
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
