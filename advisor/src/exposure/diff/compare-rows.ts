import type { AppliedPolicy, Rows } from '../exposure.ts'
import { implies } from './implies.ts'

export type Width = 'same' | 'wider' | 'narrower' | 'changed'

/**
 * Whether an action reaches more rows than before, where that can be proved; `changed` where it cannot. Policies are told by
 * what they ask, not by their names.
 */
export function compareRows(before: Rows, after: Rows): Width {
  if (before.kind === 'all' && after.kind === 'all') return 'same'
  if (after.kind === 'all') return 'wider'
  if (after.kind === 'none') return before.kind === 'none' ? 'same' : 'narrower'
  if (before.kind === 'none') return 'wider'
  if (before.kind === 'policies' && after.kind === 'policies')
    return comparePolicies(before.policies, after.policies)
  if (before.kind === 'view' && after.kind === 'view') return compareViews(before, after)
  if (before.kind === 'all' && after.kind === 'policies') return 'narrower'
  return JSON.stringify(before) === JSON.stringify(after) ? 'same' : 'changed'
}

type OfView = Extract<Rows, { kind: 'view' }>

function compareViews(before: OfView, after: OfView): Width {
  const were = Map.groupBy(before.reads, ({ relation }) => relation)
  if (before.reads.length !== after.reads.length) return 'changed'
  return join(
    after.reads.map(({ relation, as, rows }) => {
      const of = were.get(relation) ?? []
      const was = of.find((read) => read.as === as) ?? (of.length === 1 ? of[0] : undefined)
      if (was === undefined) return 'changed'
      const width = compareRows(was.rows, rows)
      // As somebody else, the same policies may say something else.
      return was.as === as || rows.kind === 'all' ? width : 'changed'
    }),
  )
}

type Part = 'using' | 'with_check'

/** One of the permissive ones and all of the restrictive ones have to be true, for `using` and for `with check` each. */
function comparePolicies(before: readonly AppliedPolicy[], after: readonly AppliedPolicy[]): Width {
  const holds = (one: readonly AppliedPolicy[], other: readonly AppliedPolicy[]) =>
    (['using', 'with_check'] as const).every((part) => isWithin(one, other, part))
  const [isWider, isNarrower] = [holds(before, after), holds(after, before)]
  if (isWider && isNarrower) return 'same'
  return isWider ? 'wider' : isNarrower ? 'narrower' : 'changed'
}

/** Whether what the one policies let through, the others let through too. */
function isWithin(
  one: readonly AppliedPolicy[],
  other: readonly AppliedPolicy[],
  part: Part,
): boolean {
  const asked = (policies: readonly AppliedPolicy[], isRestrictive: boolean) => [
    ...new Set(
      policies
        .filter(({ is_restrictive }) => is_restrictive === isRestrictive)
        .map((policy) => policy[part]),
    ),
  ]
  const [mustBe, let_] = [asked(one, true), asked(other, false)]
  return (
    asked(one, false).every((expression) =>
      // Whatever is let through is held by the restrictive ones besides.
      let_.some((wider) => [expression, ...mustBe].some((held) => implies(held, wider))),
    ) &&
    asked(other, true).every(
      (condition) =>
        mustBe.some((held) => implies(held, condition)) ||
        asked(one, false).every((expression) => implies(expression, condition)),
    )
  )
}

/** Of several at once. */
function join(widths: readonly Width[]): Width {
  const different = new Set(widths.filter((width) => width !== 'same'))
  const [only] = different
  if (only === undefined) return 'same'
  return different.size === 1 ? only : 'changed'
}
