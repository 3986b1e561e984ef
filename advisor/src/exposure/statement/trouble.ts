import type { Relation } from '../../catalog/catalog.ts'
import { kindsInWords } from '../../catalog/kinds-in-words.ts'
import type { Standing } from '../standing.ts'

/**
 * Why Postgres refuses a statement. It rewrites it first, then asks about relations, then about functions; `unsure` is what
 * hangs on the plan.
 */
export interface Trouble {
  stage: 'rewriting' | 'relation' | 'function' | 'unsure'
  reason: string
}

const order = ['rewriting', 'relation', 'function', 'unsure'] as const

/** What Postgres would come to first. */
export function firstOf(...troubles: readonly (Trouble | null)[]): Trouble | null {
  let first: Trouble | null = null
  for (const trouble of troubles)
    if (
      trouble !== null &&
      (first === null || order.indexOf(trouble.stage) < order.indexOf(first.stage))
    )
      first = trouble
  return first
}

/** In Postgres' words, and as whom, where that is not whoever runs the statement. */
export const denied = (
  { kind, name }: Pick<Relation, 'kind' | 'name'>,
  as: Standing,
  caller: Standing,
): Trouble => ({
  stage: 'relation',
  reason: `permission denied for ${kindsInWords[kind]} ${name}${as.oid === caller.oid ? '' : `, which is asked as ${as.name}`}`,
})

export const rewriting = (reason: string): Trouble => ({ stage: 'rewriting', reason })

/** Of what may be left out before it comes to that. */
export const unsure = <T extends Trouble | null>(trouble: T): T =>
  trouble === null ? trouble : { ...trouble, stage: 'unsure' }
