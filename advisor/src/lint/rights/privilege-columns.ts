import type { Catalog, Column, Relation } from '../../catalog/catalog.ts'
import { askedColumns } from './asked-columns.ts'
import { policiesFor } from './role-rights.ts'

/** What a column is called that says what somebody may do, or has paid for. */
const always =
  /^(?:is_)?(?:super_?)?(?:admin|superuser|superadmin|staff|moderator)$|^(?:permissions|privileges|(?:is_)?email_verified|(?:is_)?banned|credits|credit_balance|(?:account_)?balance|subscription_status|plan|tier)$/
const ofOneself = /^(?:user_|account_)?roles?$|^access_level$/

/**
 * Of the columns that a role may update, those with which somebody gives themselves more than they were given, where
 * the policy's row is their own: one row for each of them, as in a table of profiles or memberships.
 */
export function privilegeColumns(
  catalog: Catalog,
  relation: Relation,
  role: number,
  columns: readonly Column[],
): Column[] {
  const named = columns.filter(({ name }) => always.test(name) || ofOneself.test(name))
  if (named.length === 0 || hasTriggerBefore(relation)) return []
  const keys = relation.indexes.filter(({ isUnique }) => isUnique).map((index) => index.columns)
  const isOwnRow = policiesFor(catalog, role, relation, 'update')
    .filter(({ isPermissive }) => isPermissive)
    .some(({ using, check }) => {
      const asked = using === null ? new Set<number>() : askedColumns(catalog, using)
      const pinned = check === null ? asked : askedColumns(catalog, check)
      return (
        named.some(({ number }) => !pinned.has(number)) &&
        keys.some((key) => key.some((column) => asked.has(column)))
      )
    })
  return isOwnRow ? named : []
}

/** One before the row is written may put back what was not theirs to write. */
const hasTriggerBefore = ({ triggers }: Relation): boolean =>
  triggers.some(({ type, isEnabled }) => isEnabled && (type & 3) === 3 && (type & 16) !== 0)
