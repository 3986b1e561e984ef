import type { Database } from '../../../ground/database/pool.ts'
import type { SchemaProblem } from '../catalog/schema-problem.ts'
import type { DatabaseRole } from '../settings.ts'
import { buildSchema } from './build-schema.ts'

export interface CheckedGraphql {
  /** Of those that GRAPHQL_SCHEMAS names, what is not there. */
  missing: string[]
  /** Which others there are, where one is not. */
  there: string[]
  problems: (SchemaProblem & { role: DatabaseRole })[]
}

/** Builds what GraphQL shows each role, and says what is not shown as it is named. */
export async function checkGraphql(
  database: Pick<Database, 'send'>,
  schemas: readonly string[],
): Promise<CheckedGraphql> {
  const [rows = []] = await database.send({
    name: '',
    text: `
      select nspname::text as name from pg_catalog.pg_namespace
      where nspname !~ '^(pg_|pie_)' and nspname <> 'information_schema' order by name`,
    values: [],
  })
  const there = rows.map(({ name }) => String(name))
  const missing = schemas.filter((schema) => !there.includes(schema))
  const problems: CheckedGraphql['problems'] = []
  for (const role of ['webuser', 'webadmin'] as const) {
    const built = await buildSchema(database, [...schemas, 'pie_schema'], role)
    problems.push(...built.problems.map((problem) => ({ role, ...problem })))
  }
  return { missing, there: missing.length === 0 ? [] : there, problems }
}
