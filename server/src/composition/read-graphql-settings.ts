import { quoteName } from '../edge/graphql/catalog/quote-name.ts'
import type { GraphqlSettings } from '../edge/graphql/settings.ts'
import type { Database } from '../ground/database/pool.ts'
import type { Log } from '../ground/log.ts'
import type { Config } from '../settings/read-config.ts'

/** What GraphQL shows, and how. Warns of schemas that are not there, or that nobody may look into. */
export async function readGraphqlSettings(
  config: Config,
  database: Database,
  log: Log,
): Promise<GraphqlSettings> {
  const { GRAPHQL_SCHEMAS: schemas, GRAPHQL_INTROSPECTION: introspection, isProduction } = config
  const [rows = []] = await database.send({
    name: 'find_schemas',
    text: `select nspname as name from pg_namespace
           where nspname = any ($1) and has_schema_privilege('webadmin', oid, 'usage')`,
    values: [schemas],
  })
  for (const missing of schemas.filter((schema) => !rows.some(({ name }) => name === schema)))
    log.warn(
      { schema: missing },
      'GRAPHQL_SCHEMAS names a schema that is not there, or not granted: create it, ' +
        `grant usage on schema ${quoteName(missing)} to webuser`,
    )
  return {
    schemas,
    showsItself: introspection === null ? !isProduction : introspection === 'on',
    hasEditor: !isProduction,
    isWatching: config.isDevelopment,
    maxDepth: config.GRAPHQL_MAX_DEPTH,
    maxCost: config.GRAPHQL_MAX_COST,
    maxAnswerSize: config.GRAPHQL_MAX_ANSWER_SIZE,
  }
}
