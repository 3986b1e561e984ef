import type { Catalog, Index, Relation } from '../../catalog/catalog.ts'
import { isLookedUpBy } from '../lookups/find-unserved.ts'
import { keyOfTree } from '../lookups/key-of-tree.ts'
import type { Fault, Rule } from '../rule.ts'
import { isOn } from './foreign-keys.ts'

/** Tables whose indexes are their own. Those of a partition are made and dropped with its table's. */
const tablesOf = ({ relations }: Catalog): Relation[] =>
  [...relations.values()].filter(({ isAsked, indexes }) => isAsked && indexes.length > 0)

const ownOf = ({ indexes }: Relation): Index[] => indexes.filter(({ isOfParent }) => !isOfParent)

/** Drops an index, or the constraint that has it. */
function drop({ sql: table, constraints }: Relation, index: Index): string {
  const constraint = constraints.find(({ oid }) => oid === index.constraint)
  return constraint === undefined
    ? `drop index ${index.sql};`
    : `alter table ${table} drop constraint ${constraint.sql};`
}

export const indexInvalid: Rule = {
  name: 'index-invalid',
  weight: 'slow',
  why:
    'Building it did not come to its end: every write keeps it, no query uses it, and one that is unique does not ' +
    'promise what it says.',
  find: (catalog) =>
    tablesOf(catalog).flatMap((relation) =>
      relation.kind === 'p'
        ? []
        : ownOf(relation)
            .filter(({ isValid }) => !isValid)
            .map(
              (index): Fault => ({
                object: `index ${index.sql}`,
                ...(index.isUnique ? { weight: 'failure' as const } : {}),
                mend: `-- or reindex index concurrently, on its own, where the table is written to meanwhile\nreindex index ${index.sql};`,
              }),
            ),
    ),
}

export const indexDuplicate: Rule = {
  name: 'index-duplicate',
  weight: 'slow',
  why: 'Another index on the same columns answers all that this one does: it is written at each change, and read for nothing.',
  find: (catalog) => tablesOf(catalog).flatMap(duplicatesIn),
}

/** The one that is kept first: what others depend on, then what promises most, then the oldest. */
const worth = (index: Index): number =>
  (index.isPrimary ? 8 : 0) +
  (index.isNeeded ? 4 : 0) +
  (index.constraint === null ? 0 : 2) +
  (index.isUnique ? 1 : 0)

function duplicatesIn(relation: Relation): Fault[] {
  const alike = Map.groupBy(
    ownOf(relation).filter(({ isValid }) => isValid),
    (index) => JSON.stringify([orderOf(index), index.included.toSorted(), conditionOf(index)]),
  )
  return [...alike.values()].flatMap((group) => {
    const [kept, ...others] = group.toSorted(
      (one, other) => worth(other) - worth(one) || one.oid - other.oid,
    )
    if (kept === undefined) return []
    return others
      .filter((index) => !index.isNeeded && isPromisedBy(index, kept))
      .map((index) => ({
        object: `index ${index.sql}`,
        detail: `${kept.sql} is the same${kept.isUnique && !index.isUnique ? ', and unique' : ''}`,
        mend: drop(relation, index),
      }))
  })
}

/** An exclusion constraint, or nulls that are alike, are a promise that another index does not make. */
const isPromisedBy = (index: Index, kept: Index): boolean =>
  !index.isUnique && index.constraint === null
    ? true
    : index.isUnique && kept.isUnique && index.areNullsDistinct === kept.areNullsDistinct

const orderOf = ({ method, keys }: Index): unknown[] => [
  method,
  ...keys.map(({ column, expression, operatorClass, collation, order }) => [
    expression === null ? column : keyOfTree(expression),
    operatorClass,
    collation,
    order,
  ]),
]

const conditionOf = ({ condition }: Index): string | null =>
  condition === null ? null : keyOfTree(condition.tree)

export const indexBeginsAnother: Rule = {
  name: 'index-begins-another',
  weight: 'style',
  why: 'A longer index begins with the same columns and answers the same questions, a little slower: one of them may be enough.',
  find: (catalog) =>
    tablesOf(catalog).flatMap((relation) => {
      const indexes = ownOf(relation).filter(({ isValid, method }) => isValid && method === 'btree')
      return indexes.flatMap((index) => {
        if (index.isUnique || index.constraint !== null || index.included.length > 0) return []
        const own = orderOf(index).map((part) => JSON.stringify(part))
        const longer = indexes.find(
          (other) =>
            other.keys.length > index.keys.length &&
            conditionOf(other) === conditionOf(index) &&
            own.every((part, place) => JSON.stringify(orderOf(other)[place]) === part),
        )
        if (longer === undefined) return []
        return [
          {
            object: `index ${index.sql}`,
            detail: `${longer.sql} begins with it`,
            mend: drop(relation, index),
          },
        ]
      })
    }),
}

/** What costs less than it is worth a thought. */
const MIN_BYTES = 1024 * 1024
const MIN_DAYS = 7
const DAY = 24 * 60 * 60 * 1000

export const indexUnused: Rule = {
  name: 'index-unused',
  weight: 'slow',
  why: 'Every write keeps it, and no query has used it for as long as Postgres has counted.',
  find: (catalog) => {
    const { statisticsSince: since } = catalog
    if (since === null || Date.now() - since.getTime() < MIN_DAYS * DAY) return []
    return tablesOf(catalog).flatMap((relation) =>
      ownOf(relation)
        .filter((index) => isUnused(catalog, relation, index))
        .map((index) => ({
          object: `index ${index.sql}`,
          detail:
            `not used since ${since.toISOString().slice(0, 10)}, on this server; ` +
            'a standby counts for itself, and a newer index has had less time',
          mend: drop(relation, index),
        })),
    )
  },
}

const isUnused = (catalog: Catalog, relation: Relation, index: Index): boolean =>
  index.scans === 0 &&
  relation.kind !== 'p' &&
  index.bytes >= MIN_BYTES &&
  !index.isUnique &&
  !index.isNeeded &&
  index.isValid &&
  index.constraint === null &&
  !isLookedUpBy(catalog, relation, index.columns[0] ?? 0) &&
  !relation.constraints.some(({ type, columns }) => type === 'f' && isOn(catalog, index, columns))
