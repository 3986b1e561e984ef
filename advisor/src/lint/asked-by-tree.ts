import type { Catalog, Expression, Policy, Relation } from '../catalog/catalog.ts'
import { readsIn } from './expression-reads.ts'
import { askedRelations, grantsOn } from './relation-grants.ts'

type RolesByOid = Map<number, Set<number>>

interface Asked {
  functions: RolesByOid
  relations: RolesByOid
}
const known = new WeakMap<Catalog, Asked>()

/** By function: the roles that call it by a view that they may read, or a policy that holds for them, without naming it. */
export const callersByTree = (catalog: Catalog): ReadonlyMap<number, ReadonlySet<number>> =>
  askedByTree(catalog).functions

/** By table or view: the roles that read it so with their own rights, which a view asks for where it is security_invoker. */
export const readersByTree = (catalog: Catalog): ReadonlyMap<number, ReadonlySet<number>> =>
  askedByTree(catalog).relations

function askedByTree(catalog: Catalog): Asked {
  const before = known.get(catalog)
  if (before !== undefined) return before
  const asked: Asked = { functions: new Map(), relations: new Map() }
  for (const relation of askedRelations(catalog)) {
    const grantees = granteesOf(relation)
    for (const { action } of relation.rules)
      note(asked, action, grantees, relation.options.securityInvoker)
    for (const policy of relation.policies)
      for (const expression of [policy.using, policy.check])
        if (expression !== null) note(asked, expression, concernedBy(policy, grantees), true)
  }
  known.set(catalog, asked)
  return asked
}

function note(
  { functions, relations }: Asked,
  { tree }: Expression,
  roles: readonly number[],
  asThemselves: boolean,
): void {
  if (roles.length === 0) return
  const reads = readsIn(tree)
  add(functions, reads.functions, roles)
  if (asThemselves) add(relations, reads.relations.keys(), roles)
}

function add(found: RolesByOid, oids: Iterable<number>, roles: readonly number[]): void {
  for (const oid of oids) {
    const all = found.get(oid) ?? new Set()
    for (const role of roles) all.add(role)
    found.set(oid, all)
  }
}

const granteesOf = (relation: Relation): number[] =>
  [...new Set(grantsOn(relation).map(({ grantee }) => grantee))].filter((role) => role !== 0)

const concernedBy = ({ roles }: Policy, grantees: readonly number[]): readonly number[] =>
  roles.includes(0) ? grantees : roles
