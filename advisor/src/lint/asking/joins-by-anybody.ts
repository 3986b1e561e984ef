import type { Policy, Relation } from '../../catalog/catalog.ts'
import { scopeOf } from '../expressions/scope.ts'
import { conditionsFor, expressionsOf } from '../mends/policy-expressions.ts'
import { alternativesOf } from './alternatives-of.ts'
import { isUnique, membershipsIn, peopleIn } from './memberships.ts'
import { columnsBelow } from './pinned-columns.ts'
import { intersect } from './reach.ts'
import { isRestricted, type Surroundings } from './surroundings.ts'

/** A policy by which people add themselves to whatever they like, and what that opens. */
export interface Joining {
  policy: Policy
  column: number
  opens: Policy
}

interface Opened {
  table: Relation
  columns: number[]
  by: Policy
}

export function joinsByAnybody(around: Surroundings): Joining[] {
  return openedByMembership(around).flatMap(({ table, columns, by }) =>
    table.policies.flatMap((policy) => {
      const check = policy.isPermissive ? conditionsFor(policy, 'insert')?.check : undefined
      if (check === undefined || check === null || isGuarded(table)) return []
      const { reach } = around
      const roles = intersect(reach.rolesOfPolicy(policy), reach.rolesWith(table, 'insert'))
      if (roles.size === 0 || isRestricted(around, table, 'insert', roles)) return []
      // Where it asks nobody at all, that is the fault.
      if (around.branchesForAnybody(policy, check).length > 0) return []
      const asked = new Set(columnsBelow(check.tree, scopeOf(table.oid)))
      const isFree = (column: number) =>
        !asked.has(column) &&
        intersect(reach.rolesWithColumn(table, 'insert', column), roles).size > 0
      const people = peopleIn(around.catalog, table)
      const [column] = columns
      return column !== undefined &&
        columns.every(isFree) &&
        people.some((person) => around.pinnedColumns(policy, check).has(person))
        ? [{ policy, column, opens: by }]
        : []
    }),
  )
}

/** A trigger may look at what is added, and refuse it. */
const isGuarded = ({ triggers }: Relation): boolean =>
  triggers.some(({ isEnabled, type }) => isEnabled && (type & 4) !== 0)

/** The tables that a policy looks into, for who asks and for what belongs to its row. */
function openedByMembership(around: Surroundings): Opened[] {
  return around.opening.flatMap((policy) =>
    expressionsOf(policy).flatMap(({ expression }) =>
      alternativesOf(expression.tree)
        .flat()
        .flatMap((part) => membershipsIn(part, policy.relation, around))
        .flatMap(({ table, mentioned, comparesRow, asks, people }) => {
          const columns = [...mentioned].filter((column) => !people.includes(column))
          const isShared = comparesRow && asks && people.some((person) => mentioned.has(person))
          // Of a thing there is one row: nobody adds another to what is somebody's.
          const isThing = columns.some((column) => isUnique(table, column))
          return isShared && !isThing && columns.length > 0 ? [{ table, columns, by: policy }] : []
        }),
    ),
  )
}
