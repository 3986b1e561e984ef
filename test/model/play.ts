/** Plays schedules until one breaks the promise, and cuts that one down. */
import fc from 'fast-check'
import { live, type Outcome } from './cache-world.ts'
import { anySchedule, type Schedule } from './schedule.ts'
import { type Parts, realParts } from './simulated-node.ts'

export interface Played {
  count: number
  outcome: Outcome
  breach: Breach | null
}

export interface Breach {
  schedule: Schedule
  message: string
}

/** @param seed the same schedules come of the same one; a whole number of 32 bits */
export async function play(
  { seed, count }: { seed?: number; count: number },
  parts: Parts = realParts,
): Promise<Played> {
  const outcome: Outcome = { hits: 0, sharedHits: 0, reads: 0, answers: 0 }
  const property = fc.asyncProperty(anySchedule, async (schedule) => {
    const each = await live(schedule, parts)
    for (const key of Object.keys(outcome) as (keyof Outcome)[]) outcome[key] += each[key]
  })
  const given = seed === undefined ? {} : { seed }
  const { numRuns, counterexample } = await fc.check(property, {
    ...given,
    numRuns: count,
    endOnFailure: true,
  })
  const [schedule] = counterexample ?? []
  const breach = schedule === undefined ? null : await cutDown(schedule, parts)
  return { count: numRuns, outcome, breach }
}

/** What a schedule breaks; null when it keeps the promise. */
export async function breachOf(schedule: Schedule, parts = realParts): Promise<string | null> {
  return live(schedule, parts).then(
    () => null,
    (error) => (error instanceof Error ? error.message : String(error)),
  )
}

/** Leaves out whatever it does not take to break the promise. */
async function cutDown(schedule: Schedule, parts: Parts): Promise<Breach> {
  let best = schedule
  let message = (await breachOf(best, parts)) ?? 'the promise is not broken by it a second time'
  const tryInstead = async (shorter: Schedule) => {
    const broken = await breachOf(shorter, parts)
    if (broken === null) return false
    best = shorter
    message = broken
    return true
  }
  const without = (from: number, many: number) => ({
    ...best,
    steps: best.steps.toSpliced(from, many),
  })
  for (let many = 32; many >= 1; many >>= 1) {
    for (let from = best.steps.length - many; from >= 0; from -= 1)
      while (from + many <= best.steps.length && (await tryInstead(without(from, many))));
  }
  for (let nodes = 1; nodes < best.nodes; nodes += 1)
    if (await tryInstead({ ...best, nodes })) break
  if (best.hasShared) await tryInstead({ ...best, hasShared: false })
  return { schedule: best, message }
}
