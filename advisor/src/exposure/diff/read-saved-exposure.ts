import { readFile } from 'node:fs/promises'
import { AdvisorError } from '../../errors.ts'
import type { Exposure } from '../exposure.ts'

/** A map that `exposure --json` has printed, now or in an earlier version, which had fewer parts. */
export async function readSavedExposure(path: string): Promise<Exposure> {
  let saved: unknown
  try {
    saved = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new AdvisorError(`${path} cannot be read as a map: ${(cause as Error).message}`, {
      cause,
    })
  }
  const map = saved as Partial<Exposure> | null
  if (
    !areOf(map?.roles, 'inherits', 'may_become') ||
    !areOf(map?.relations, 'columns', 'access') ||
    !areOf(map?.functions, 'executable_by') ||
    !map.relations.every(({ access }) => areOf(access, 'columns', 'refused'))
  )
    throw new AdvisorError(`${path} is no map that \`exposure --json\` has printed.`)
  const relations = map.relations.map((relation) => ({ ...sinceAdded, ...relation }))
  return { ...map, asked: map.asked ?? { schemas: null, roles: null }, relations } as Exposure
}

const sinceAdded = { owned_by: [], rights: [], rules: [], definer_triggers: [] }

/** Whether it is a list of objects that have lists of these names. */
function areOf<One>(found: readonly One[] | undefined, ...lists: (keyof One)[]): found is One[] {
  return (
    Array.isArray(found) &&
    found.every(
      (one) =>
        typeof one === 'object' && one !== null && lists.every((name) => Array.isArray(one[name])),
    )
  )
}
