import type { Catalog, Policy, Relation } from '../../catalog/catalog.ts'
import { askedColumns, checkOf, isTrue } from './asked-columns.ts'
import { columnsFor, isPastPolicies, mayOn, mayOnSome, policiesFor } from './role-rights.ts'

/** Whether there may be rows of a table that a role does not see. Without row-level security only grants say who sees it. */
export function hidesRows(catalog: Catalog, role: number, relation: Relation): boolean {
  if (isPastPolicies(catalog, role, relation)) return false
  if (!mayOnSome(catalog, role, relation, 'select')) return true
  const policies = policiesFor(catalog, role, relation, 'select')
  const showsAll = policies.some(({ isPermissive, using }) => isPermissive && isTrue(using))
  return !showsAll || policies.some(({ isPermissive, using }) => !isPermissive && !isTrue(using))
}

/** How a role can write values of its own choice into columns. */
export interface Writing {
  command: 'insert' | 'update'
  /** Columns that every policy of the command holds against who asks. */
  pinned: ReadonlySet<number>
}

/** The ways in which a role may write all of these columns at once, or, in an update, one of them. */
export function writingsOf(
  catalog: Catalog,
  role: number,
  relation: Relation,
  columns: readonly number[],
): Writing[] {
  return (['insert', 'update'] as const).flatMap((command) => {
    if (isPastPolicies(catalog, role, relation)) return []
    if (!mayOn(catalog, role, relation, command)) {
      const writable = new Set(columnsFor(catalog, role, relation, command))
      const isWritable = (column: number) => writable.has(column)
      if (!(command === 'insert' ? columns.every(isWritable) : columns.some(isWritable))) return []
    }
    const policies = policiesFor(catalog, role, relation, command)
    const permissive = policies.filter(({ isPermissive }) => isPermissive)
    if (permissive.length === 0) return []
    const restrictive = policies.filter(({ isPermissive }) => !isPermissive)
    const always = restrictive.flatMap((policy) => [...pinnedBy(catalog, policy)])
    const inEach = permissive.map((policy) => pinnedBy(catalog, policy))
    const common = [...(inEach[0] ?? [])].filter((one) => inEach.every((set) => set.has(one)))
    return [{ command, pinned: new Set([...common, ...always]) }]
  })
}

const known = new WeakMap<Policy, Set<number>>()

function pinnedBy(catalog: Catalog, policy: Policy): Set<number> {
  const found = known.get(policy) ?? findPinned(catalog, policy)
  known.set(policy, found)
  return found
}

function findPinned(catalog: Catalog, policy: Policy): Set<number> {
  const check = checkOf(policy) ?? policy.using
  return check === null ? new Set() : askedColumns(catalog, check)
}
