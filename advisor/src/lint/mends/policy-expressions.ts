import type { Expression, Policy } from '../../catalog/catalog.ts'
import { withoutOuterParentheses } from './expression-text.ts'
import { inComment } from './in-comment.ts'

/** The expressions of a policy, in the order in which they are written. */
export function expressionsOf({
  using,
  check,
}: Policy): { expression: Expression; isUsing: boolean }[] {
  return [
    ...(using === null ? [] : [{ expression: using, isUsing: true }]),
    ...(check === null ? [] : [{ expression: check, isUsing: false }]),
  ]
}

/** `alter policy`, with each expression as `change` leaves it. */
export function alterPolicy(policy: Policy, change: (expression: Expression) => string): string {
  const clauses = expressionsOf(policy).map(
    ({ expression, isUsing }) =>
      `\n  ${isUsing ? 'using' : 'with check'} (${withoutOuterParentheses(change(expression))})`,
  )
  return `alter policy ${policy.sql} on ${policy.relation.sql}${clauses.join('')};`
}

/** `using (…) with check (…)`, as lines of a comment that has begun. */
export function textsOf(policy: Policy): string {
  const clauses = expressionsOf(policy).map(
    ({ expression, isUsing }) =>
      `${isUsing ? 'using' : 'with check'} (${withoutOuterParentheses(expression.text)})`,
  )
  return inComment(clauses.join('\n'))
}

/** `alter policy`, so that nobody gets in by it, with what it was in a comment. A policy that was dropped would be forgotten. */
export function closePolicy(policy: Policy): string {
  const closed = expressionsOf(policy).map(({ isUsing }) =>
    isUsing ? 'using (false)' : 'with check (false)',
  )
  return `-- it was: ${textsOf(policy)}\nalter policy ${policy.sql} on ${policy.relation.sql} ${closed.join(' ')};`
}

/** `using (…)`, cut where it is long, for a sentence. */
export function excerpt({ text }: Expression): string {
  const line = withoutOuterParentheses(text).replaceAll(/\s+/g, ' ')
  return line.length <= 80 ? line : `${line.slice(0, 77)}…`
}

/** What a policy lets in, and what it lets out, for a command; null where it says nothing of it. */
export function conditionsFor(
  { command, using, check }: Policy,
  asked: 'select' | 'insert' | 'update' | 'delete',
): { using: Expression | null; check: Expression | null } | null {
  if (command !== 'all' && command !== asked) return null
  if (asked === 'insert') return { using: null, check: check ?? using }
  return { using, check: asked === 'update' ? (check ?? using) : null }
}
