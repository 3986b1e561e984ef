import type { Catalog, Policy, Relation } from '../../catalog/catalog.ts'
import { askedRelations, grantsOn } from '../rights/relation-grants.ts'
import { readsIn } from './expression-reads.ts'

type RolesByOid = Map<number, Set<number>>

interface Asked {
  functions: RolesByOid
  relations: RolesByOid
}
const known = new WeakMap<Catalog, Asked>()

/** By function: the roles that call it by a view that they may read, or a policy that holds for them, without naming it. */
export const callersByTree = (catalog: Catalog): ReadonlyMap<number, ReadonlySet<number>> =>
  askedByTree(catalog).functions

/**
 * By table or view: the roles that a view reads it for with their own rights, and that were granted all of that view as they
 * were of everything, without a thought of it. Without the right to read what is below they would be refused.
 */
export const readersByTree = (catalog: Catalog): ReadonlyMap<number, ReadonlySet<number>> =>
  askedByTree(catalog).relations

function askedByTree(catalog: Catalog): Asked {
  const before = known.get(catalog)
  if (before !== undefined) return before
  const asked: Asked = { functions: new Map(), relations: new Map() }
  for (const relation of askedRelations(catalog)) {
    const grantees = granteesOf(relation)
    for (const { action } of relation.rules) {
      const { functions, relations } = readsIn(action.tree)
      add(asked.functions, functions, grantees)
      if (relation.options.securityInvoker)
        add(
          asked.relations,
          relations.keys(),
          grantees.filter((role) => hasAll(relation, role)),
        )
    }
    for (const policy of relation.policies)
      for (const expression of [policy.using, policy.check])
        if (expression !== null)
          add(asked.functions, readsIn(expression.tree).functions, concernedBy(policy, grantees))
  }
  known.set(catalog, asked)
  return asked
}

const hasAll = (relation: Relation, role: number): boolean =>
  (['select', 'insert', 'update', 'delete'] as const).every((privilege) =>
    grantsOn(relation).some((grant) => grant.grantee === role && grant.privilege === privilege),
  )

function add(found: RolesByOid, oids: Iterable<number>, roles: readonly number[]): void {
  for (const oid of roles.length === 0 ? [] : oids) {
    const all = found.get(oid) ?? new Set()
    for (const role of roles) all.add(role)
    found.set(oid, all)
  }
}

const granteesOf = (relation: Relation): number[] =>
  [...new Set(grantsOn(relation).map(({ grantee }) => grantee))].filter((role) => role !== 0)

const concernedBy = ({ roles }: Policy, grantees: readonly number[]): readonly number[] =>
  roles.includes(0) ? grantees : roles
