import type { Column, Relation, Routine } from '../../catalog/catalog.ts'
import { numberOf, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import { columnOf, columnsBelow } from '../asking/pinned-columns.ts'
import type { Surroundings } from '../asking/surroundings.ts'
import { operatorOf } from '../asking/value.ts'
import { findNodes } from '../expressions/find-nodes.ts'
import { type Scope, scopeOf } from '../expressions/scope.ts'
import { argumentsOf, unwrap } from '../expressions/unwrap.ts'
import { bodyOf } from '../sql-text/body-of.ts'
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
  around: Surroundings,
  relation: Relation,
  role: number,
  columns: readonly Column[],
): Column[] {
  const named = columns.filter(({ name }) => always.test(name) || ofOneself.test(name))
  if (named.length === 0 || hasTriggerBefore(relation)) return []
  const { catalog } = around
  const keys = relation.indexes.filter(({ isUnique }) => isUnique).map((index) => index.columns)
  const isOwnRow = policiesFor(catalog, role, relation, 'update')
    .filter(({ isPermissive }) => isPermissive)
    .some(({ using, check }) => {
      const own = using === null ? [] : ownColumns(using.tree, scopeOf(relation.oid), around)
      const held = check ?? using
      // What a new row is held against, by whatever means, somebody has thought of.
      const thoughtOf = new Set(held === null ? [] : columnsBelow(held.tree, scopeOf(relation.oid)))
      return (
        named.some(({ number }) => !thoughtOf.has(number)) &&
        keys.some((key) => key.some((column) => own.includes(column)))
      )
    })
  return isOwnRow ? named : []
}

/** One before the row is written may put back what was not theirs to write. */
const hasTriggerBefore = ({ triggers }: Relation): boolean =>
  triggers.some(({ type, isEnabled }) => isEnabled && (type & 3) === 3 && (type & 16) !== 0)

/**
 * The columns that say that a row is somebody's own: they are held against who asks and nothing else. What a sub-select or
 * a function finds out of the row, such as whose team it is of, says that it may be somebody else's.
 */
function ownColumns(node: TreeNode, scope: Scope, around: Surroundings): number[] {
  if (node.type === 'BOOLEXPR')
    return wordOf(node, 'boolop') === 'not'
      ? []
      : argumentsOf(node).flatMap((part) => ownColumns(part, scope, around))
  const isAlike = node.type === 'OPEXPR' && operatorOf(node, around.catalog) === '='
  if (!isAlike) return []
  const sides = argumentsOf(node)
  return sides.flatMap((side, place) => {
    const column = columnOf(side, scope)
    const other = sides[1 - place]
    return column !== null && other !== undefined && isWhoAsks(other, scope, around) ? [column] : []
  })
}

/** Who asks, and not what a table says of them. */
function isWhoAsks(start: TreeNode, around: Scope, { asking, catalog }: Surroundings): boolean {
  const { node, scope } = unwrap(start, around)
  const asks = findNodes(node, scope, (one) => asking.identity.sourcesOf(one).length > 0)
  if (asks.length === 0 || findNodes(node, scope, ({ type }) => type === 'QUERY').length > 0)
    return false
  return asks.every(({ node: call }) => {
    const sources = asking.identity.sourcesOf(call)
    const routine = catalog.functions.get(numberOf(call, 'funcid'))
    const isItself =
      routine === undefined ||
      sources.some(({ key }) => key === `${routine.schema.name}.${routine.name}`)
    return sources.every(({ kind }) => kind !== 'unknown') && (isItself || !readsTables(routine))
  })
}

const readsTables = (routine: Routine): boolean =>
  bodyOf(routine).some(
    ({ type, value }, place, tokens) =>
      type === 'word' && value === 'from' && tokens[place - 1]?.value !== 'distinct',
  )
