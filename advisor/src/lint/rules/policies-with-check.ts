import type { Expression, Policy } from '../../catalog/catalog.ts'
import { type Demand, demandsOf } from '../asking/demands.ts'
import { intersect, nameRoles } from '../asking/reach.ts'
import { type Surroundings, surroundingsOf } from '../asking/surroundings.ts'
import { scopeOf } from '../expressions/scope.ts'
import { isNever } from '../expressions/truth.ts'
import { withoutOuterParentheses } from '../mends/expression-text.ts'
import { closePolicy, conditionsFor, excerpt } from '../mends/policy-expressions.ts'
import type { Fault, Rule } from '../rule.ts'

export const rowCanBeGivenAway: Rule = {
  name: 'row-can-be-given-away',
  weight: 'hole',
  why:
    'using chooses the rows that may be changed, with check what may become of them: where it does not ask again, ' +
    'one’s own row can be made anybody’s, or put where one may not write.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    return around.policies.flatMap((policy) => givenAway(around, policy) ?? [])
  },
}

function givenAway(around: Surroundings, policy: Policy): Fault | null {
  const { using, check, relation, isPermissive } = policy
  if (!isPermissive || using === null || check === null || conditionsFor(policy, 'update') === null)
    return null
  const { reach, catalog } = around
  // Where using asks nobody either, that is the fault.
  if (around.openBranches(policy, using).length > 0) return null
  const pinned = around.pinnedColumns(policy, using)
  const kept = around.pinnedColumns(policy, check)
  const roles = intersect(reach.rolesOfPolicy(policy), reach.rolesWith(relation, 'update'))
  const asks = around.openBranches(policy, check).length === 0
  if (asks && (pinned.size === 0 || [...pinned].some((column) => kept.has(column)))) return null
  const lost = relation.columns.filter(({ number }) => pinned.has(number))
  const open = lost.filter(
    ({ number }) => intersect(reach.rolesWithColumn(relation, 'update', number), roles).size > 0,
  )
  const isOpen = roles.size > 0 && (open.length > 0 || (pinned.size === 0 && !asks))
  const named = (open.length > 0 ? open : lost).map(({ sql }) => sql).join(', ')
  const what = named === '' ? 'the new row' : named
  return {
    object: policy.object,
    detail: isOpen
      ? `${nameRoles(catalog, roles)} may set ${what} to anything: with check (${excerpt(check)}) does not ask for it as using does`
      : `with check (${excerpt(check)}) does not ask for ${what} as using does; nobody is granted to change it yet`,
    weight: !isOpen ? 'style' : asks ? 'leak' : 'hole',
    mend: `alter policy ${policy.sql} on ${relation.sql} with check (${checkOf(using, check, asks)});`,
  }
}

/** What the check asks beside is kept. */
function checkOf(using: Expression, check: Expression, asks: boolean): string {
  const asked = withoutOuterParentheses(using.text)
  return asks ? `(${asked}) and (${withoutOuterParentheses(check.text)})` : asked
}

export const policyContradictsItself: Rule = {
  name: 'policy-contradicts-itself',
  weight: 'failure',
  why:
    'What it asks for can be met by no row, or what it lets in, it does not let out: what is granted fails, or is gone ' +
    'when it is written.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    return around.policies.flatMap((policy) => contradiction(around, policy) ?? [])
  },
}

function contradiction(around: Surroundings, policy: Policy): Fault | null {
  const { using, check, relation, isPermissive } = policy
  if (!isPermissive) return null
  const decide = `-- which of the two is meant? Until that is said, nobody gets in by it\n${closePolicy(policy)}`
  for (const [word, expression] of [
    ['using', using],
    ['with check', check],
  ] as const) {
    if (
      expression === null ||
      isSaidSo(expression) ||
      !isContradictory(around, policy, [expression])
    )
      continue
    return {
      object: policy.object,
      detail: `no row meets ${word} (${excerpt(expression)})`,
      mend: decide,
    }
  }
  if (using === null || check === null || isSaidSo(using) || isSaidSo(check)) return null
  const clash = clashOf(around, policy, [using, check])
  if (clash === null) return null
  const column = relation.columns.find(({ number }) => number === clash)
  // A row may well be changed from one into the other: by whoever may write that column.
  const isChanged = around.reach.rolesWithColumn(relation, 'update', clash).size > 0
  if (policy.command === 'update' && isChanged) return null
  return {
    object: policy.object,
    detail: `using (${excerpt(using)}) and with check (${excerpt(check)}) ask for two values of ${column?.sql ?? 'a column'}`,
    mend: decide,
  }
}

/** `false` is a way to say that nobody may. */
const isSaidSo = ({ tree }: Expression): boolean => tree.type === 'CONST'

const isContradictory = (
  around: Surroundings,
  policy: Policy,
  expressions: Expression[],
): boolean =>
  expressions.some((expression) => isNever(around.judge(policy, expression))) ||
  clashOf(around, policy, expressions) !== null

/** A column of which two values are asked for at once. */
function clashOf(
  { asking }: Surroundings,
  { relation }: Policy,
  expressions: Expression[],
): number | null {
  const demands = expressions.flatMap(({ tree }) => demandsOf(tree, scopeOf(relation.oid), asking))
  const byColumn = Map.groupBy(demands, ({ column }) => column)
  for (const [column, asked] of byColumn)
    if (asked.some((one) => asked.some((other) => excludes(one, other)))) return column
  return null
}

function excludes(one: Demand, other: Demand): boolean {
  if (one.is === 'null') return other.is === 'equal' || other.is === 'not null'
  if (one.is !== 'equal') return false
  if (other.is === 'different') return one.value === other.value
  // Who asks may be whoever it is.
  return other.is === 'equal' && one.isConstant && other.isConstant && one.value !== other.value
}
