import type { Catalog, Policy, Relation } from '../../catalog/catalog.ts'
import { findSearches, type Lookup, type Search } from './find-lookups.ts'
import { isServed, missingIn } from './is-served.ts'
import { onlyPossible } from './method-for.ts'

/** A lookup of policies that reads a whole table. */
export interface Unserved {
  relation: Relation
  lookup: Lookup
  /** The first that looks so. */
  policy: Policy
}

/** Below this, reading all of a table costs no more than going by an index. */
const FEW_ROWS = 500

/** Whether a table is known to be so small that Postgres would not use an index. Unknown is -1, and empty may be new. */
export const isSmall = ({ estimatedRows }: Relation): boolean =>
  estimatedRows > 0 && estimatedRows < FEW_ROWS

interface Found {
  unserved: Unserved[]
  /** `relation column`, of all that policies look rows up by. */
  columns: Set<string>
}
const known = new WeakMap<Catalog, Found>()

/** Whether policies look rows up by a column. */
export const isLookedUpBy = (catalog: Catalog, relation: Relation, column: number): boolean =>
  findAll(catalog).columns.has(`${relation.oid} ${column}`)

/** What policies look rows up by and no index answers; in the order of tables and policies. */
export const findUnserved = (catalog: Catalog): Unserved[] => findAll(catalog).unserved

function findAll(catalog: Catalog): Found {
  let found = known.get(catalog)
  if (found === undefined) {
    const columns = new Set<string>()
    const unserved = [...catalog.relations.values()].flatMap((relation) =>
      ofTable(catalog, relation, columns),
    )
    found = { unserved, columns }
    known.set(catalog, found)
  }
  return found
}

/** Every search of the policies of a table, own and inside. */
function ofTable(catalog: Catalog, relation: Relation, columns: Set<string>): Unserved[] {
  const commute = (operator: number) => catalog.operatorClasses.commutators.get(operator)
  const searches = relation.policies.map((policy) => {
    const using = policy.using && findSearches(policy.using.tree, relation.oid, commute)
    // What a new row is checked for is not what it is found by.
    const check = policy.check && findSearches(policy.check.tree, relation.oid, commute)
    const inside = [...(using?.inside ?? []), ...(check?.inside ?? [])]
    return { policy, own: using?.own ?? null, inside }
  })
  for (const { own, inside } of searches)
    for (const search of own === null ? inside : [own, ...inside])
      for (const { column } of lookupsOf(search)) columns.add(`${search.relation} ${column}`)
  return searches.flatMap(({ policy, own, inside }) => {
    const around = searches.filter(
      (other) => other.policy !== policy && isAlso(other.policy, policy),
    )
    const needed = own === null ? [] : [withRestrictions(own, around)]
    return [...needed, ...inside].flatMap((search) => unservedIn(catalog, policy, search))
  })
}

/**
 * Whether a policy holds for every row that another one is asked about too. To a restrictive one every other may be the
 * one that finds the rows.
 */
const isAlso = (other: Policy, policy: Policy): boolean =>
  (other.command === 'all' || policy.command === 'all' || other.command === policy.command) &&
  (!policy.isPermissive ||
    (!other.isPermissive &&
      (other.roles.includes(0) || policy.roles.every((role) => other.roles.includes(role)))))

function withRestrictions(own: Search, around: { own: Search | null }[]): Search {
  const others = around.flatMap((other) => other.own ?? [])
  return {
    relation: own.relation,
    oneOf: [...own.oneOf, ...others.flatMap(({ oneOf }) => oneOf)],
    conditions: [...own.conditions, ...others.flatMap(({ conditions }) => conditions)],
  }
}

function unservedIn(catalog: Catalog, policy: Policy, search: Search): Unserved[] {
  const relation = catalog.relations.get(search.relation)
  if (relation === undefined || !relation.isAsked || !['r', 'p', 'm'].includes(relation.kind))
    return []
  const possible = onlyPossible(catalog, search)
  if (possible === null || isSmall(relation) || isServed(catalog, search)) return []
  return missingIn(catalog, possible).map((lookup) => ({ relation, lookup, policy }))
}

const lookupsOf = ({ oneOf }: Search): Lookup[] =>
  oneOf.flatMap((one) => (Array.isArray(one) ? one.flatMap(lookupsOf) : [one]))
