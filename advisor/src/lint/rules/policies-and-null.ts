import type { Expression, Policy } from '../../catalog/catalog.ts'
import { nodesIn, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import { asksSomebody } from '../asking/branches.ts'
import { columnOf } from '../asking/pinned-columns.ts'
import { intersect } from '../asking/reach.ts'
import { type Surroundings, surroundingsOf } from '../asking/surroundings.ts'
import { operatorOf, readValue } from '../asking/value.ts'
import { scopeOf } from '../expressions/scope.ts'
import { isAlways } from '../expressions/truth.ts'
import { argumentsOf } from '../expressions/unwrap.ts'
import { closePolicy, conditionsFor, excerpt, expressionsOf } from '../mends/policy-expressions.ts'
import type { Fault, Rule } from '../rule.ts'

export const policyOpenToNobody: Rule = {
  name: 'policy-open-to-nobody',
  weight: 'hole',
  why:
    'Where nobody has signed in, what says who asks is null, and this condition is true of every row: whoever comes ' +
    'without a name gets more than whoever says theirs.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    return around.opening.flatMap((policy) => {
      const open = expressionsOf(policy).find(
        ({ expression }) =>
          isAlways(around.judge(policy, expression, { isNobody: true })) &&
          !isAlways(around.judge(policy, expression)),
      )
      return open === undefined
        ? []
        : [
            decided(
              policy,
              `${excerpt(open.expression)} is true when nobody is signed in`,
              'what is somebody without a name to see?',
            ),
          ]
    })
  },
}

const decided = (policy: Policy, detail: string, question: string): Fault => ({
  object: policy.object,
  detail,
  mend: `-- ${question} Until that is said, nobody gets in by it\n${closePolicy(policy)}`,
})

export const policyShowsRowsOfNobody: Rule = {
  name: 'policy-shows-rows-of-nobody',
  weight: 'leak',
  why:
    'A row whose owner is null is everybody’s: also one whose owner was deleted (on delete set null), and one that was ' +
    'written without an owner by mistake.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    return around.opening.flatMap((policy) => rowsOfNobody(around, policy) ?? [])
  },
}

function rowsOfNobody(around: Surroundings, policy: Policy): Fault | null {
  const { relation, using } = policy
  if (using === null) return null
  const pinned = around.pinnedColumns(policy, using)
  const found = nullColumns(around, policy, using.tree, pinned)
  const column = relation.columns.find(({ number, notNull }) => found.includes(number) && !notNull)
  if (column === undefined) return null
  const key = relation.constraints.find(
    ({ type, columns, refers }) =>
      type === 'f' && columns.includes(column.number) && refers?.onDelete === 'n',
  )
  const { reach } = around
  const isWritten = (['update', 'delete'] as const).some(
    (command) =>
      conditionsFor(policy, command) !== null &&
      intersect(reach.rolesOfPolicy(policy), reach.rolesWith(relation, command)).size > 0,
  )
  return {
    object: policy.object,
    detail:
      `rows without ${column.sql} are everybody’s to ${isWritten ? 'change or delete' : 'see'}` +
      (key === undefined ? '' : ', and those of a user who is deleted become such rows'),
    ...(isWritten ? { weight: 'hole' as const } : {}),
    mend:
      `-- whose are rows without ${column.sql}? If there are to be none, delete or give away those that there are, and then\n` +
      `-- alter table ${relation.sql} alter column ${column.sql} set not null;\n${closePolicy(policy)}`,
  }
}

/** Columns that are held against who asks, and let a row through where they are null. */
function nullColumns(
  { asking }: Surroundings,
  policy: Policy,
  node: TreeNode,
  pinned: ReadonlySet<number>,
): number[] {
  const scope = scopeOf(policy.relation.oid)
  const walk = (inner: TreeNode, isNegated: boolean): number[] => {
    if (inner.type === 'BOOLEXPR') {
      const word = wordOf(inner, 'boolop')
      if (word === 'not') return argumentsOf(inner).flatMap((part) => walk(part, !isNegated))
      const parts = argumentsOf(inner)
      // Where something else asks too, null alone does not open.
      const asks =
        (word === 'and') !== isNegated
          ? parts.filter((part) => asksSomebody(part, scope, asking))
          : []
      return parts
        .filter((part) => asks.every((other) => other === part))
        .flatMap((part) => walk(part, isNegated))
    }
    if (inner.type === 'NULLTEST' && (wordOf(inner, 'nulltesttype') === '0') !== isNegated)
      return nodesIn(inner, 'arg')
        .flatMap((argument) => columnOf(argument, scope) ?? [])
        .filter((column) => pinned.has(column))
    // `is not distinct from`, for those who are nobody.
    if (inner.type === 'DISTINCTEXPR' && isNegated) return comparedColumns(inner)
    return inner.type === 'OPEXPR' && operatorOf(inner, asking.catalog) === '=' && !isNegated
      ? coalescedColumns(inner)
      : []
  }
  const comparedColumns = (inner: TreeNode) =>
    asksSomebody(inner, scope, asking)
      ? argumentsOf(inner).flatMap((side) => columnOf(side, scope) ?? [])
      : []
  /** `coalesce(owner_id, me) = me` */
  const coalescedColumns = (inner: TreeNode) =>
    argumentsOf(inner).flatMap((side) => {
      if (side.type !== 'COALESCEEXPR') return []
      const [first, ...rest] = argumentsOf(side)
      const column = first === undefined ? null : columnOf(first, scope)
      return column !== null && rest.some((part) => asksSomebody(part, scope, asking))
        ? [column]
        : []
    })
  return walk(node, false)
}

export const policyExcludesOneself: Rule = {
  name: 'policy-lets-in-all-but-one',
  weight: 'hole',
  why: 'It lets a row through where it is not of whoever asks: everybody gets at the rows of all others.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    return around.opening.flatMap((policy) => {
      const found = expressionsOf(policy).find(({ expression }) =>
        excludesOneself(around, policy, expression),
      )
      return found === undefined
        ? []
        : [
            decided(
              policy,
              `${excerpt(found.expression)} is true for everybody but the one who asks`,
              'was = meant?',
            ),
          ]
    })
  },
}

/** Whether one of the ways through asks nothing of who asks but that it is another. */
function excludesOneself(
  { asking }: Surroundings,
  { relation }: Policy,
  { tree }: Expression,
): boolean {
  const scope = scopeOf(relation.oid)
  const isExclusion = (node: TreeNode, isNegated: boolean): boolean => {
    if (node.type === 'BOOLEXPR' && wordOf(node, 'boolop') === 'not')
      return argumentsOf(node).some((part) => isExclusion(part, !isNegated))
    const isDifferent =
      node.type === 'DISTINCTEXPR' ||
      (node.type === 'OPEXPR' && operatorOf(node, asking.catalog) === '<>')
    const isEqual = node.type === 'OPEXPR' && operatorOf(node, asking.catalog) === '='
    if (!(isNegated ? isEqual : isDifferent)) return false
    const sides = argumentsOf(node)
    const isWho = (side: TreeNode) => {
      const value = readValue(side, scope, asking)
      return value.kind === 'same' && value.isIdentity
    }
    return sides.some((side) => columnOf(side, scope) !== null) && sides.some(isWho)
  }
  const walk = (node: TreeNode): boolean => {
    if (node.type !== 'BOOLEXPR' || wordOf(node, 'boolop') === 'not')
      return isExclusion(node, false)
    const parts = argumentsOf(node)
    if (wordOf(node, 'boolop') === 'or') return parts.some(walk)
    const asks = parts.filter((part) => asksSomebody(part, scope, asking))
    return asks.length > 0 && asks.every((part) => walk(part))
  }
  return walk(tree)
}
