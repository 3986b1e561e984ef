import { setImmediate } from 'node:timers/promises'
import type { SchemaProblem } from '../catalog/schema-problem.ts'
import { namedIn } from './named-in.ts'
import type { Unit } from './unit.ts'

/** What is left out, by the oid of what it is of. */
export interface LeftOut {
  tags: ReadonlySet<string>
  objects: ReadonlySet<string>
}

export interface Failed {
  unit: Unit
  what: 'tags' | 'object'
  reason: string
}

/** How many builds may go into a search. Beyond it what was looked for together is left out together. */
const MOST_BUILDS = 40

/**
 * Builds, and where that fails finds out for which: tags of comments before what has them. What the error names is left
 * out at once. Where it names nothing, halves are tried, the larger ones first, and what can be built is added up.
 *
 * @param units what may be left out; known when something has been built
 * @throws what not even the rest can be built without
 */
export async function findWhatFails<Built>(
  build: (leftOut: LeftOut) => Promise<Built>,
  units: () => readonly Unit[],
): Promise<{ result: Built; failed: Failed[] }> {
  const failed: Failed[] = []
  const without = (...more: { what: Failed['what']; units: readonly Unit[] }[]): LeftOut => {
    const of = (what: Failed['what']) =>
      new Set([
        ...failed.filter((one) => one.what === what).map(({ unit }) => unit.oid),
        ...more
          .filter((one) => one.what === what)
          .flatMap((one) => one.units.map(({ oid }) => oid)),
      ])
    return { tags: of('tags'), objects: of('object') }
  }
  let last: Failed | null = null
  for (;;) {
    const built = await attempt(() => build(without()))
    if ('result' in built) return { result: built.result, failed }
    const { reason, error } = built
    // It was not about what it named.
    const isAgain: boolean = last !== null && last.reason === reason && last.what === 'object'
    if (isAgain) failed.pop()
    const left = without()
    const rest = units().filter(({ oid }) => !left.objects.has(oid))
    if (rest.length === 0) throw error
    const unit: Unit | undefined = isAgain ? undefined : namedIn(reason, rest)
    if (unit === undefined) break
    last = { unit, what: unit.isTagged && !left.tags.has(unit.oid) ? 'tags' : 'object', reason }
    failed.push(last)
  }
  for (const what of ['tags', 'object'] as const) {
    const left = without()
    const rest = units().filter(({ oid, isTagged }) =>
      what === 'tags' ? isTagged && !left.tags.has(oid) : !left.objects.has(oid),
    )
    const base = await attempt(() => build(without({ what, units: rest })))
    if ('result' in base) {
      const found = await search(rest, base.result, (all) => build(without({ what, units: all })))
      failed.push(...found.failed.map((one) => ({ ...one, what })))
      return { result: found.result, failed }
    }
    if (what === 'object') throw base.error
  }
  throw new Error('nothing could be built')
}

/** Adds up what can be built: every part is tried with all that has been built before. */
async function search<Built>(
  units: readonly Unit[],
  base: Built,
  build: (without: readonly Unit[]) => Promise<Built>,
): Promise<{ result: Built; failed: { unit: Unit; reason: string }[] }> {
  const good = new Set<Unit>()
  const failed: { unit: Unit; reason: string }[] = []
  const waiting: { part: readonly Unit[]; reason: string | null }[] = halves(units)
  let result = base
  for (let count = 0, next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { part, reason: before } = next
    if (count >= MOST_BUILDS) {
      const reason = `${before ?? 'others with it cannot be built'} (of this or of others that were looked for with it)`
      failed.push(...part.map((unit) => ({ unit, reason })))
      continue
    }
    count += 1
    const with_ = new Set([...good, ...part])
    const built = await attempt(() => build(units.filter((unit) => !with_.has(unit))))
    if ('result' in built) {
      result = built.result
      for (const unit of part) good.add(unit)
    } else if (part.length > 1) {
      const named = namedIn(built.reason, part)
      if (named === undefined) waiting.push(...halves(part, built.reason))
      else {
        failed.push({ unit: named, reason: built.reason })
        waiting.unshift({ part: part.filter((unit) => unit !== named), reason: built.reason })
      }
    } else failed.push(...part.map((unit) => ({ unit, reason: built.reason })))
  }
  return { result, failed }
}

function halves(part: readonly Unit[], reason: string | null = null) {
  const middle = Math.ceil(part.length / 2)
  return [part.slice(0, middle), part.slice(middle)]
    .filter((half) => half.length > 0)
    .map((half) => ({ part: half, reason }))
}

async function attempt<Built>(
  build: () => Promise<Built>,
): Promise<{ result: Built } | { error: unknown; reason: string }> {
  // Others are answered in between.
  await setImmediate()
  try {
    return { result: await build() }
  } catch (error) {
    return { error, reason: reasonOf(error) }
  }
}

const MOST_CHARACTERS = 300

function reasonOf(error: unknown): string {
  const words = String(error instanceof Error ? error.message : error).split('\n')[0] ?? ''
  const isForPeople = !(error instanceof TypeError || error instanceof RangeError)
  return (isForPeople ? words : `PostGraphile cannot read it (${words})`).slice(0, MOST_CHARACTERS)
}

export const problemOfFailed = ({ unit: { object }, what, reason }: Failed): SchemaProblem =>
  what === 'tags'
    ? {
        kind: 'left-out',
        object,
        other: null,
        what: `is shown as if its comment had no lines that begin with @: ${reason}`,
        mend: 'take those lines from its comment, or mend them',
      }
    : {
        kind: 'left-out',
        object,
        other: null,
        what: `is left out: ${reason}`,
        mend: 'rename it, or what the reason names',
      }
