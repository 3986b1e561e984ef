import type { Catalog, Index, Relation } from '../../catalog/catalog.ts'
import { nodesIn, numberOf, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import type { Lookup, Search } from './find-lookups.ts'
import { conjunctsOf, keyOfTree, withoutRelabels } from './key-of-tree.ts'
import { partitionsOf } from './partitions-of.ts'

/** Whether an index answers a search without reading the whole table. */
export function isServed(catalog: Catalog, search: Search): boolean {
  return search.oneOf.some((one) =>
    Array.isArray(one)
      ? one.every((arm) => isServed(catalog, arm))
      : isLookupServed(catalog, catalog.relations.get(search.relation), one, search.conditions),
  )
}

/** The lookups that would have to be served, one for each search that no index answers. */
export function missingIn(catalog: Catalog, search: Search): Lookup[] {
  if (isServed(catalog, search)) return []
  const [first] = search.oneOf
  if (first === undefined) return []
  return Array.isArray(first) ? first.flatMap((arm) => missingIn(catalog, arm)) : [first]
}

function isLookupServed(
  catalog: Catalog,
  relation: Relation | undefined,
  lookup: Lookup,
  conditions: readonly TreeNode[],
): boolean {
  if (relation === undefined) return true
  if (relation.indexes.some((index) => serves(catalog, index, lookup, conditions))) return true
  if (relation.kind !== 'p') return false
  // A partition is found by its key; and each may have an index of its own.
  if (catalog.operatorClasses.partitionKeys.get(relation.oid)?.[0] === lookup.column) return true
  const partitions = partitionsOf(catalog, relation)
  const { name } = relation.columns.find(({ number }) => number === lookup.column) ?? {}
  return (
    partitions.length > 0 &&
    partitions.every((partition) => {
      const column = partition.columns.find((one) => one.name === name)?.number ?? 0
      return isLookupServed(catalog, partition, { ...lookup, column }, conditions)
    })
  )
}

/** Those that find by any of their columns. */
const searchedByAny = new Set(['gin', 'gist', 'bloom', 'brin'])

export function serves(
  { operatorClasses }: Catalog,
  index: Index,
  { operand, column, operator, collation }: Lookup,
  conditions: readonly TreeNode[],
): boolean {
  if (!index.isValid) return false
  const families = operatorClasses.families.get(operator) ?? []
  const keys = searchedByAny.has(index.method) ? index.keys : index.keys.slice(0, 1)
  return (
    keys.some(
      (key) =>
        (column > 0
          ? key.column === column
          : key.expression !== null && keyOfTree(key.expression) === keyOfTree(operand)) &&
        families.some(({ family }) => family === operatorClasses.familyOf.get(key.operatorClass)) &&
        (key.collation === 0 || collation === 0 || key.collation === collation),
    ) &&
    (index.condition === null || isImplied(index.condition.tree, conditions))
  )
}

/** Whether a partial index holds every row for which the conditions hold, as far as Postgres would see it. */
export function isImplied(predicate: TreeNode, conditions: readonly TreeNode[]): boolean {
  const known = new Set(conditions.map(keyOfCondition))
  return conjunctsOf(predicate).every((part) => {
    if (known.has(keyOfCondition(part))) return true
    if (part.type === 'BOOLEXPR' && wordOf(part, 'boolop') === 'or')
      return nodesIn(part, 'args').some((arm) => isImplied(arm, conditions))
    if (part.type === 'NULLTEST') return isNotNull(part) && isCompared(part, conditions)
    // `status = 'open'` is in `status in ('open', 'late')`: which constants are, is left to Postgres.
    const columns = columnsIn(part)
    return (
      part.type !== 'BOOLEXPR' &&
      part.type !== 'VAR' &&
      conditions.some(
        (condition) =>
          /OPEXPR$/.test(condition.type) &&
          columns.every((column) => columnsIn(condition).includes(column)) &&
          columnsIn(condition).length === columns.length,
      )
    )
  })
}

const IS_NOT_NULL = '1'
const isNotNull = (node: TreeNode): boolean => wordOf(node, 'nulltesttype') === IS_NOT_NULL

/** `column is not null`, of one of these columns. */
export function isNotNullTest(node: TreeNode, columns: readonly number[]): boolean {
  const [tested] = nodesIn(node, 'arg').map(withoutRelabels)
  return (
    node.type === 'NULLTEST' &&
    isNotNull(node) &&
    tested?.type === 'VAR' &&
    columns.includes(numberOf(tested, 'varattno'))
  )
}

/** What is compared with something is not null. */
function isCompared(test: TreeNode, conditions: readonly TreeNode[]): boolean {
  const tested = nodesIn(test, 'arg').map(keyOfTree)[0]
  return conditions.some(
    (condition) =>
      /^(SCALARARRAY)?OPEXPR$/.test(condition.type) &&
      nodesIn(condition, 'args').some((side) => keyOfTree(side) === tested),
  )
}

function columnsIn(node: TreeNode): number[] {
  const found = new Set<number>()
  const walk = (one: TreeNode): void => {
    if (one.type === 'VAR' && numberOf(one, 'varlevelsup') === 0)
      found.add(numberOf(one, 'varattno'))
    if (one.type !== 'QUERY') for (const value of Object.values(one.fields)) walkValue(value)
  }
  const walkValue = (value: TreeNode['fields'][string]): void => {
    if (typeof value === 'string') return
    if (Array.isArray(value)) for (const item of value) walkValue(item)
    else walk(value as TreeNode)
  }
  walk(node)
  return [...found]
}

/** The oids of `boolean = boolean`, and of a constant true. */
const BOOLEAN_EQUALS = 91

/** `x = true` and `x is true` are x; `x = false` is not x. */
function keyOfCondition(node: TreeNode): string {
  const bare = withoutRelabels(node)
  if (bare.type === 'BOOLEANTEST' && wordOf(bare, 'booltesttype') === '0')
    return keyOfCondition(nodesIn(bare, 'arg')[0] ?? bare)
  if (bare.type !== 'OPEXPR' || numberOf(bare, 'opno') !== BOOLEAN_EQUALS) return keyOfTree(bare)
  const [left, right] = nodesIn(bare, 'args')
  if (left === undefined || right?.type !== 'CONST') return keyOfTree(bare)
  return isTrue(right) ? keyOfTree(left) : `BOOLEXPR(boolop:not args:[${keyOfTree(left)}])`
}

const isTrue = (constant: TreeNode): boolean =>
  JSON.stringify(constant.fields['constvalue'] ?? '').includes('[1 ')
