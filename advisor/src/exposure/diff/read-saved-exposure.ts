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
  if (!Array.isArray(map?.roles) || !Array.isArray(map.relations) || !Array.isArray(map.functions))
    throw new AdvisorError(`${path} is no map that \`exposure --json\` has printed.`)
  const relations = map.relations.map((relation) => ({ ...sinceAdded, ...relation }))
  return { ...map, asked: map.asked ?? { schemas: null, roles: null }, relations } as Exposure
}

const sinceAdded = { owned_by: [], rights: [], rules: [], definer_triggers: [] }
