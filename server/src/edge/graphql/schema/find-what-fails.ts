import { setImmediate } from 'node:timers/promises'
import type { SchemaProblem } from '../catalog/schema-problem.ts'

/** How many tables and functions are looked for one by one; where there are more, all of the application's are left out. */
const MOST_LEFT_OUT = 12

interface Unit {
  oid: string
  object: string
}

/**
 * Builds, and where that fails finds out for which table or function: the last of the shortest beginning of the list
 * that cannot be built. That one is left out, and the rest built again.
 *
 * @param build without what has these oids
 * @param units what may be left out; known when something has been built
 * @throws what not even the rest can be built without
 */
export async function findWhatFails<Built>(
  build: (leftOut: ReadonlySet<string>) => Promise<Built>,
  units: () => readonly Unit[],
): Promise<{ result: Built; problems: SchemaProblem[] }> {
  const leftOut = new Set<string>()
  const problems: SchemaProblem[] = []
  for (;;) {
    try {
      return { result: await build(leftOut), problems }
    } catch (error) {
      const rest = units().filter(({ oid }) => !leftOut.has(oid))
      if (rest.length === 0) throw error
      const isTooMuch = leftOut.size >= MOST_LEFT_OUT
      const found = isTooMuch
        ? rest.map((unit) => ({ unit, reason: error }))
        : [await findOne(build, rest, leftOut, error)]
      for (const { unit, reason } of found) {
        const { oid, object } = unit
        leftOut.add(oid)
        problems.push({
          kind: 'left-out',
          object,
          other: null,
          what: `is left out: ${reasonOf(reason)}`,
          mend: 'rename it, or what the reason names; or take its comment, where that has lines that begin with @',
        })
      }
    }
  }
}

async function findOne<Built>(
  build: (leftOut: ReadonlySet<string>) => Promise<Built>,
  units: readonly Unit[],
  leftOut: ReadonlySet<string>,
  error: unknown,
): Promise<{ unit: Unit; reason: unknown }> {
  for (const unit of namedIn(error, units)) {
    const rest = await build(new Set([...leftOut, unit.oid])).catch((why: unknown) => why)
    if (reasonOf(rest) !== reasonOf(error)) return { unit, reason: error }
  }
  let reason = error
  // The first `good` of them can be built, the first `bad` cannot.
  let [good, bad] = [0, units.length]
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2)
    // Others are answered in between.
    await setImmediate()
    const without = new Set([...leftOut, ...units.slice(middle).map(({ oid }) => oid)])
    const isBuilt = await build(without).then(
      () => true,
      (why: unknown) => {
        reason = why
        return false
      },
    )
    if (isBuilt) good = middle
    else bad = middle
  }
  return { unit: units[bad - 1] as Unit, reason }
}

const MOST_CHARACTERS = 300

const reasonOf = (error: unknown): string =>
  String(error instanceof Error ? error.message : error)
    .split('\n')[0]
    ?.slice(0, MOST_CHARACTERS) ?? ''

/** How many are tried before the list is halved: each is a build. */
const MOST_NAMED = 3

/** What an error names, `app.notes`, is mostly what it is about. */
function namedIn(error: unknown, units: readonly Unit[]): Unit[] {
  const text = reasonOf(error)
  return units
    .filter(({ object }) => {
      const [, name = ''] = /^(?:\S+ )*?(\S+\.[^(]+)/.exec(object) ?? []
      const at = text.indexOf(name)
      return name !== '' && at >= 0 && !/[\w.]/.test(text[at + name.length] ?? '')
    })
    .slice(0, MOST_NAMED)
}
