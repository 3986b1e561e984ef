import type { Catalog, Constraint, Index, Relation } from '../../catalog/catalog.ts'
import { findUnserved, isSmall } from '../lookups/find-unserved.ts'
import { isNotNullTest } from '../lookups/is-served.ts'
import { conjunctsOf } from '../lookups/key-of-tree.ts'
import { partitionsOf } from '../lookups/partitions-of.ts'
import type { Rule } from '../rule.ts'

/** Those of a partition that come from its table are mended there. */
function* foreignKeysOf({ relations }: Catalog): Generator<[Relation, Constraint, string]> {
  for (const relation of relations.values())
    for (const constraint of relation.isAsked ? relation.constraints : [])
      if (constraint.type === 'f' && !constraint.isOfParent)
        yield [relation, constraint, `foreign key ${constraint.sql} on ${relation.sql}`]
}

export const foreignKeyWithoutOnDelete: Rule = {
  name: 'foreign-key-without-on-delete',
  weight: 'style',
  why:
    'What happens to this row when the other is deleted was not decided: deleting a user fails, one ' +
    'day, on the table that nobody thought of.',
  find: (catalog) =>
    [...foreignKeysOf(catalog)]
      .filter(([, { refers }]) => refers?.onDelete === 'a')
      .map(([{ sql }, key, object]) => ({
        object,
        mend:
          `-- or on delete cascade, or set null: whichever is meant\nalter table ${sql} drop constraint ` +
          `${key.sql}, add constraint ${key.sql} ${withRestrict(key.definition)};`,
      })),
}

const withRestrict = (definition: string): string =>
  definition.replace(
    /((?: NOT)? DEFERRABLE.*| NOT VALID.*| NOT ENFORCED.*|)$/,
    ' ON DELETE RESTRICT$1',
  )

export const foreignKeyWithoutIndex: Rule = {
  name: 'foreign-key-without-index',
  weight: 'slow',
  why: 'Deleting what it refers to reads this whole table, and locks as it goes.',
  find: (catalog) => {
    const asked = new Set(
      findUnserved(catalog).map(({ relation, lookup }) => `${relation.oid} ${lookup.column}`),
    )
    return [...foreignKeysOf(catalog)].flatMap(([relation, { columns }, object]) => {
      // One column that policies need an index for is told there: one index does for both.
      if (columns.length === 1 && asked.has(`${relation.oid} ${columns[0]}`)) return []
      if (isSmall(relation) || isIndexed(catalog, relation, columns)) return []
      const names = columns.map((column) => nameOf(relation, column)?.sql)
      const detail = `no index begins with ${names.join(' and ')}${closestIndex(relation, columns)}`
      return [{ object, detail, mend: `create index on ${relation.sql} (${names.join(', ')});` }]
    })
  },
}

const nameOf = (relation: Relation, column: number) =>
  relation.columns.find(({ number }) => number === column)

/** Also where each partition has an index of its own. */
function isIndexed(catalog: Catalog, relation: Relation, columns: readonly number[]): boolean {
  if (relation.indexes.some((index) => isOn(catalog, index, columns))) return true
  const partitions = relation.kind === 'p' ? partitionsOf(catalog, relation) : []
  const names = columns.map((column) => nameOf(relation, column)?.name)
  return (
    partitions.length > 0 &&
    partitions.every((partition) =>
      isIndexed(
        catalog,
        partition,
        names.map((name) => partition.columns.find((one) => one.name === name)?.number ?? 0),
      ),
    )
  )
}

/** Whether an index begins with these columns, in any order, and leaves out only rows that refer to nothing. */
export function isOn(catalog: Catalog, index: Index, columns: readonly number[]): boolean {
  const first = index.columns.slice(0, columns.length)
  return (
    index.isValid &&
    hasEquality(catalog, index) &&
    columns.every((column) => first.includes(column)) &&
    (index.condition === null ||
      conjunctsOf(index.condition.tree).every((part) => isNotNullTest(part, columns)))
  )
}

const known = new WeakMap<Catalog, Set<number>>()

/** Whether an index can be asked what is equal; one for documents or shapes cannot. */
function hasEquality(catalog: Catalog, { keys: [first] }: Index): boolean {
  let families = known.get(catalog)
  if (families === undefined) {
    families = new Set()
    for (const [operator, members] of catalog.operatorClasses.families)
      if (catalog.operators.get(operator)?.name === '=')
        for (const { family, method } of members) if (method !== 'brin') families.add(family)
    known.set(catalog, families)
  }
  return (
    first !== undefined &&
    families.has(catalog.operatorClasses.familyOf.get(first.operatorClass) ?? 0)
  )
}

function closestIndex({ indexes }: Relation, columns: readonly number[]): string {
  const close = indexes.find((index) => columns.every((column) => index.columns.includes(column)))
  if (close === undefined) return ''
  if (!close.isValid) return `; ${close.sql} is not valid`
  if (close.predicate !== null) return `; ${close.sql} holds a part of the rows`
  return `; ${close.sql} has them in another place`
}
