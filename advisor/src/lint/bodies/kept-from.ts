import type { Catalog, Relation, Routine } from '../../catalog/catalog.ts'
import { isGranted } from '../rights/read-past.ts'
import { type Deed, reachOf } from '../sql-text/reach-of.ts'
import type { Weight } from '../weight.ts'

export interface Judged {
  weight: Weight
  does: string
}

export interface Reached {
  relation: Relation
  deed: Deed
}

/** What a function names that those who may call it do not reach themselves, or not all of it. */
export const keptFrom = (
  catalog: Catalog,
  callers: readonly number[],
  routine: Routine,
): Reached[] =>
  reachOf(catalog, routine).relations.filter(
    ({ relation, deed }) =>
      isKeptFrom(catalog, callers, relation) &&
      (deed !== 'select' || !isReadByAll(catalog, callers, relation)),
  )

const isKeptFrom = (catalog: Catalog, callers: readonly number[], relation: Relation): boolean =>
  !relation.schema.isOfPostgres &&
  relation.kind !== 'S' &&
  (relation.rowSecurity || callers.some((role) => !isGranted(catalog, role, relation, 'select')))

/** By a policy of those who call, who may read all of it without it too. */
const isReadByAll = (catalog: Catalog, callers: readonly number[], relation: Relation): boolean =>
  callers.every(
    (role) =>
      isGranted(catalog, role, relation, 'select') &&
      relation.policies.some(
        ({ isPermissive, command, using, roles }) =>
          isPermissive &&
          (command === 'select' || command === 'all') &&
          using?.text === 'true' &&
          (roles.includes(0) || roles.includes(role)),
      ),
  ) && !relation.policies.some(({ isPermissive }) => !isPermissive)
