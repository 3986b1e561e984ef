/** Prints docs/graphql.graphql: what GraphQL shows a signed-in user of Pie's own tables. */
import { lexicographicSortSchema, printSchema } from 'graphql'
import type { Secret } from '../server/src/ground/crypto/secret.ts'
import { openDatabase } from '../server/src/ground/database/pool.ts'
import { createLog } from '../server/src/ground/log.ts'

const header = `# What GraphQL shows whoever is signed in, before GRAPHQL_SCHEMAS adds what is yours.
# Printed by \`npm run print\` from the catalog of a fresh database; not to be edited.
`

export async function printGraphql(url: Secret): Promise<string> {
  const { buildSchema } = await import('../server/src/edge/graphql/schema/build-schema.ts')
  const database = openDatabase(url, createLog('silent', false), { connections: 1 })
  try {
    const { schema } = await buildSchema(database, ['pie_schema'], 'webuser')
    return `${header}\n${printSchema(lexicographicSortSchema(schema))}\n`
  } finally {
    await database.pool.end()
  }
}
