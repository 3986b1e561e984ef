import type { AppliedPolicy, Rows } from './exposure.ts'

/** How far an access goes. */
export type ReachOfRows = 'all' | 'some' | 'none'

export function reachOfRows(rows: Rows): ReachOfRows {
  switch (rows.kind) {
    case 'all':
      return 'all'
    case 'none':
      return 'none'
    case 'policies':
      return openPolicyOf(rows.policies) === null ? 'some' : 'all'
    case 'view':
      return widest(rows.reads.map((read) => reachOfRows(read.rows)))
    case 'rules':
      return widest([
        ...(rows.itself === null ? [] : [reachOfRows(rows.itself)]),
        ...rows.does.map((done) => reachOfRows(done.rows)),
      ])
  }
}

const widest = (reaches: readonly ReachOfRows[]): ReachOfRows =>
  (['all', 'some'] as const).find((reach) => reaches.includes(reach)) ?? 'none'

/** A policy that asks for nothing, with none to narrow it; null where there is none. */
export function openPolicyOf(policies: readonly AppliedPolicy[]): AppliedPolicy | null {
  const asksNothing = ({ using, with_check }: AppliedPolicy) =>
    [using, with_check].every((part) => part === null || part === 'true')
  if (policies.some((policy) => policy.is_restrictive && !asksNothing(policy))) return null
  return policies.find((policy) => !policy.is_restrictive && asksNothing(policy)) ?? null
}
