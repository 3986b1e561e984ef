/** What the cache promises of an answer, held against what has happened in the world. */
import { GREATEST_AGE_MS, TRUST_MS } from '../../server/src/ground/cache/protocol.ts'
import type { SimulatedNode } from './simulated-node.ts'
import type { Change, SimulatedPostgres, States } from './simulated-postgres.ts'

/** A request, and what was true for whoever was asked. */
export interface Asked {
  by: SimulatedNode
  at: number
  /** Its place in the order of what begins and what is answered. */
  order: number
  /** The primary that the node knows; none when it has just been started. */
  primary: SimulatedPostgres | undefined
}

/** A node has answered whoever asked it for a change. */
export interface Answered {
  change: Change
  by: SimulatedNode
  order: number
}

/** How the answer of a primary's data breaks the promise; null when it does not. */
export function findBreach(
  value: States,
  { by, at, order }: Omit<Asked, 'primary'>,
  primary: SimulatedPostgres,
  answered: readonly Answered[],
  /** How far a clock was set back that nobody can have noticed. */
  unnoticedMs: number,
): string | null {
  for (const [row, seen] of Object.entries(value)) {
    const history = primary.historyOf(row)
    const place = history.findLastIndex(({ id }) => id === seen)
    if (place < 0) return `a state of ${row} that the primary never had`
    for (const change of history.slice(place + 1)) {
      const within = change.isTold ? TRUST_MS : GREATEST_AGE_MS + unnoticedMs
      // Nothing tells a machine that it was suspended: SECURITY.md names that limit.
      if (at > Math.max(change.committedAt + within, by.wentOnAt() + TRUST_MS))
        return `${at - change.committedAt} ms after a${change.isTold ? '' : 'n untold'} change of ${row}`
      if (answered.some((a) => a.change === change && a.by === by && a.order < order))
        return `after the answer of the node that had changed ${row}`
    }
  }
  return null
}
