import type { Catalog, Policy, Relation } from '../catalog/catalog.ts'
import { readsIn } from './expression-reads.ts'
import { askedRelations, grantsOn } from './relation-grants.ts'

const known = new WeakMap<Catalog, Map<number, Set<number>>>()

/** By function: the roles that call it by a view that they may read, or a policy that holds for them, without naming it. */
export function callersByTree(catalog: Catalog): ReadonlyMap<number, ReadonlySet<number>> {
  const before = known.get(catalog)
  if (before !== undefined) return before
  const callers = new Map<number, Set<number>>()
  const add = (functions: Iterable<number>, roles: readonly number[]) => {
    for (const oid of roles.length === 0 ? [] : functions) {
      const found = callers.get(oid) ?? new Set()
      for (const role of roles) found.add(role)
      callers.set(oid, found)
    }
  }
  for (const relation of askedRelations(catalog)) {
    const grantees = granteesOf(relation)
    for (const { action } of relation.rules) add(readsIn(action.tree).functions, grantees)
    for (const policy of relation.policies)
      for (const expression of [policy.using, policy.check])
        if (expression !== null)
          add(readsIn(expression.tree).functions, concernedBy(policy, grantees))
  }
  known.set(catalog, callers)
  return callers
}

const granteesOf = (relation: Relation): number[] =>
  [...new Set(grantsOn(relation).map(({ grantee }) => grantee))].filter((role) => role !== 0)

const concernedBy = ({ roles }: Policy, grantees: readonly number[]): readonly number[] =>
  roles.includes(0) ? grantees : roles
