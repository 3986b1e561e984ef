import type { GraphQLSchema } from 'graphql'
import { makeSchema } from 'postgraphile'
import type { Database } from '../../ground/database/pool.ts'
import { createPreset, type DatabaseRole } from './preset.ts'

/** How many operations keep their plans in memory, and how many plans each: variables make several of one. */
const MOST_PLANNED = 200
const MOST_PLANS_OF_ONE = 4

export interface BuiltSchema {
  schema: GraphQLSchema
  preset: GraphileConfig.ResolvedPreset
}

/** Builds the schema of a database role from the catalog. */
export async function buildSchema(
  database: Database,
  schemas: readonly string[],
  role: DatabaseRole,
): Promise<BuiltSchema> {
  const { schema, resolvedPreset } = await makeSchema(createPreset(database, schemas, role))
  const limits = {
    operationsCacheMaxLength: MOST_PLANNED,
    operationOperationPlansCacheMaxLength: MOST_PLANS_OF_ONE,
  }
  Object.assign(schema.extensions, { grafast: { ...schema.extensions.grafast, ...limits } })
  return { schema, preset: resolvedPreset }
}
