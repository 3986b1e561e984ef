import { jsonPgSmartTags } from 'graphile-utils'
import type { Database } from '../../../ground/database/pool.ts'
import type { SchemaProblem } from '../catalog/schema-problem.ts'
import { legalNames } from '../names/legal-names.ts'
import { shortNames } from '../names/short-names.ts'
import type { DatabaseRole } from '../settings.ts'
import { type CatalogReading, introspectAs } from './adaptor.ts'
import { amberPreset } from './amber-preset.ts'
import { boundedPages } from './bounded-pages.ts'
import { collectProblems } from './collect-problems.ts'
import { meField } from './me-field.ts'

/** The most that planning one operation may take. It happens once for each document. */
const PLANNING_MS = 1_000

/** What is there for Pie's own doors, and would only be in the way here. It hides; it protects nothing. */
const withoutInternals = jsonPgSmartTags({
  version: 1,
  config: {
    class: { 'pie_schema.user_descriptions': { tags: { behavior: '-*' } } },
    attribute: { 'pie_schema.users.version': { tags: { behavior: '-*' } } },
  },
})

interface PresetOptions {
  database: Pick<Database, 'send'>
  schemas: readonly string[]
  role: DatabaseRole
  reading: CatalogReading
  tell: (problem: SchemaProblem) => void
}

/**
 * PostGraphile as it comes, over these database schemas, as far as the role may touch what is in them.
 * What somebody may see is decided by grants and policies alone.
 * @param tell is told what the schema lacks: nothing is missing silently
 */
export function createPreset({
  database,
  schemas,
  role,
  reading,
  tell,
}: PresetOptions): GraphileConfig.Preset {
  return {
    extends: [amberPreset],
    plugins: [
      legalNames,
      shortNames,
      boundedPages,
      meField,
      withoutInternals,
      collectProblems(tell),
    ],
    // For Relay 1, and ways to the root from everywhere.
    disablePlugins: [
      'QueryQueryPlugin',
      'RegisterQueryNodePlugin',
      'NodeAccessorPlugin',
      'SwallowErrorsPlugin',
    ],
    gather: { muteWarnings: true },
    grafast: { timeouts: { planning: PLANNING_MS } },
    pgServices: [
      {
        name: 'main',
        schemas: [...schemas],
        adaptor: { createWithPgClient: () => introspectAs(database, reading) },
        adaptorSettings: {},
        withPgClientKey: 'withPgClient',
        pgSettingsForIntrospection: { role },
      } as never,
    ],
  }
}
