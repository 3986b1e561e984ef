import type { AppliedPolicy, Rows } from '../exposure.ts'

export type Width = 'same' | 'wider' | 'narrower' | 'changed'

/**
 * Whether an action reaches more rows than before. Expressions are not understood: where one was changed, it may be more, and
 * is `changed`. Policies are told by what they ask, not by their names.
 */
export function compareRows(before: Rows, after: Rows): Width {
  if (
    before.kind === 'rules' ||
    after.kind === 'rules' ||
    before.kind === 'view' ||
    after.kind === 'view'
  )
    return compareParts(before, after)
  if (before.kind === after.kind && before.kind !== 'policies') return 'same'
  const order = ['none', 'policies', 'all'] as const
  const step = order.indexOf(after.kind) - order.indexOf(before.kind)
  if (step !== 0) return step > 0 ? 'wider' : 'narrower'
  return before.kind === 'policies' && after.kind === 'policies'
    ? comparePolicies(before.policies, after.policies)
    : 'same'
}

function compareParts(before: Rows, after: Rows): Width {
  if (before.kind === 'view' && after.kind === 'view') {
    const named = ({ relation, as }: { relation: string; as: string }) => `${relation} ${as}`
    const were = new Map(before.reads.map((read) => [named(read), read.rows]))
    if (before.reads.length !== after.reads.length) return 'changed'
    return join(
      after.reads.map((read) => {
        const rows = were.get(named(read))
        return rows === undefined ? 'changed' : compareRows(rows, read.rows)
      }),
    )
  }
  if (after.kind === 'none') return 'narrower'
  return JSON.stringify(before) === JSON.stringify(after) ? 'same' : 'changed'
}

function comparePolicies(before: readonly AppliedPolicy[], after: readonly AppliedPolicy[]): Width {
  const keyOf = ({ is_restrictive, using, with_check }: AppliedPolicy) =>
    JSON.stringify([is_restrictive, using, with_check])
  const [were, are] = [before.map(keyOf), after.map(keyOf)]
  const gone = before.filter((policy) => !are.includes(keyOf(policy)))
  const come = after.filter((policy) => !were.includes(keyOf(policy)))
  const widths: Width[] = []
  for (const policy of come) {
    // One of the same name that asks something else: which asks for more is not told from here.
    const isOther = gone.some(({ name }) => name === policy.name)
    widths.push(isOther ? 'changed' : policy.is_restrictive ? 'narrower' : 'wider')
  }
  for (const policy of gone) {
    if (come.some(({ name }) => name === policy.name)) continue
    widths.push(policy.is_restrictive ? 'wider' : 'narrower')
  }
  return join(widths)
}

/** Of several at once. */
function join(widths: readonly Width[]): Width {
  const different = new Set(widths.filter((width) => width !== 'same'))
  const [only] = different
  if (only === undefined) return 'same'
  return different.size === 1 ? only : 'changed'
}
