import { makeSchema } from 'graphile-build'
import type { GraphQLSchema } from 'graphql'
import type { Database } from '../../ground/database/pool.ts'
import { createPreset, type DatabaseRole } from './preset.ts'

/** How many plans one operation keeps: variables that include or skip make several of one. */
const MOST_PLANS_OF_ONE = 2

/** How many operations keep plans: fewer than this, because they are forgotten by their weight before. */
const MOST_PLANNED = 5_000

export interface BuiltSchema {
  schema: GraphQLSchema
  preset: GraphileConfig.ResolvedPreset
  /** Lets go of what Grafast remembers of operations. */
  forgetPlans(): void
}

/** Builds the schema of a database role from the catalog. */
export async function buildSchema(
  database: Database,
  schemas: readonly string[],
  role: DatabaseRole,
): Promise<BuiltSchema> {
  const { schema, resolvedPreset } = await makeSchema(createPreset(database, schemas, role))
  const extensions = {
    ...schema.extensions.grafast,
    operationsCacheMaxLength: MOST_PLANNED,
    operationOperationPlansCacheMaxLength: MOST_PLANS_OF_ONE,
  }
  // Grafast keeps its plans among these.
  const forgetPlans = () => void Object.assign(schema.extensions, { grafast: { ...extensions } })
  forgetPlans()
  return { schema, preset: resolvedPreset, forgetPlans }
}
