import type { Database } from '../../ground/database/pool.ts'
import { type BuiltSchema, buildSchema } from './build-schema.ts'
import type { DatabaseRole } from './preset.ts'
import { readFingerprint } from './read-fingerprint.ts'
import type { GraphqlSettings } from './settings.ts'

/** The schema of a database role, built when somebody first asks for it. */
export type GetSchema = (role: DatabaseRole) => Promise<BuiltSchema>

interface Building {
  fingerprint: string
  built: Promise<BuiltSchema>
}

export function createRoleSchemas(
  database: Database,
  { schemas, isWatching }: Pick<GraphqlSettings, 'schemas' | 'isWatching'>,
): GetSchema {
  // Pie's own last: PostGraphile takes the first for the main one.
  const all = [...schemas, 'pie_schema']
  const buildings = new Map<DatabaseRole, Building>()
  return async (role) => {
    const fingerprint = isWatching ? await readFingerprint(database, all) : ''
    const known = buildings.get(role)
    if (known !== undefined && known.fingerprint === fingerprint) return known.built
    const building = { fingerprint, built: buildSchema(database, all, role) }
    buildings.set(role, building)
    building.built.catch(() => {
      if (buildings.get(role) === building) buildings.delete(role)
    })
    return building.built
  }
}
