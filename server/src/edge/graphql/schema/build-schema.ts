import { buildInflection } from 'graphile-build'
import type { GraphQLSchema } from 'graphql'
import type { Database } from '../../../ground/database/pool.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { keepTouchable } from '../catalog/keep-touchable.ts'
import { leaveOutColumns } from '../catalog/leave-out-columns.ts'
import { leaveOutFunctions } from '../catalog/leave-out-functions.ts'
import { readTouchable } from '../catalog/read-touchable.ts'
import type { SchemaProblem } from '../catalog/schema-problem.ts'
import { openTags } from '../catalog/tags.ts'
import { listNamed } from '../names/list-named.ts'
import { nameApart } from '../names/name-apart.ts'
import type { DatabaseRole } from '../settings.ts'
import { buildFlat } from './build-flat.ts'
import { findWhatFails } from './find-what-fails.ts'
import { createPreset } from './preset.ts'

/** How many plans one operation keeps: variables that include or skip make several of one. */
const MOST_PLANS_OF_ONE = 2

/** How many operations keep plans: fewer than this, because they are forgotten by their weight before. */
const MOST_PLANNED = 5_000

export interface BuiltSchema {
  schema: GraphQLSchema
  preset: GraphileConfig.ResolvedPreset
  /** What is called otherwise than it would be, and what is left out. */
  problems: readonly SchemaProblem[]
  /** Lets go of what Grafast remembers of operations. */
  forgetPlans(): void
}

/**
 * Builds the schema of a database role from the catalog, as far as the role may touch it. What cannot be built is left
 * out: one name that somebody gave takes nothing from anybody else.
 *
 * @throws where not even Pie's own tables can be shown
 */
export async function buildSchema(
  database: Pick<Database, 'send'>,
  schemas: readonly string[],
  role: DatabaseRole,
): Promise<BuiltSchema> {
  const touchable = await readTouchable(database, schemas, role)
  const read = new Map<string, string>()
  let named: { oid: string; object: string }[] = []
  const build = async (leftOut: ReadonlySet<string>) => {
    const problems: SchemaProblem[] = []
    const reading = {
      read,
      revise(text: string): string {
        const kept = keepTouchable(JSON.parse(text) as Catalog, touchable, leftOut)
        const functions = leaveOutFunctions(kept, touchable, role)
        const { catalog, problems: columns } = leaveOutColumns(functions.catalog)
        const names = nameApart(catalog, inflection, touchable, schemas)
        problems.push(...functions.problems, ...columns, ...names)
        if (named.length === 0)
          named = listNamed(catalog, inflection, touchable, schemas, openTags(catalog))
            .filter(({ place }) => place.of !== 'pg_type')
            .map(({ place, object }) => ({ oid: place.objoid, object }))
        return JSON.stringify(catalog)
      },
    }
    const preset = createPreset({
      database,
      schemas,
      role,
      reading,
      tell: (one) => problems.push(one),
    })
    const inflection = buildInflection(preset)
    return { ...(await buildFlat(preset, inflection)), problems }
  }
  const { result, problems } = await findWhatFails(build, () =>
    named.filter(({ object }) => !object.includes(' pie_schema.')),
  )
  const { schema, resolvedPreset } = result
  const extensions = {
    ...schema.extensions.grafast,
    operationsCacheMaxLength: MOST_PLANNED,
    operationOperationPlansCacheMaxLength: MOST_PLANS_OF_ONE,
  }
  // Grafast keeps its plans among these.
  const forgetPlans = () => void Object.assign(schema.extensions, { grafast: { ...extensions } })
  forgetPlans()
  return {
    schema,
    preset: resolvedPreset,
    problems: [...problems, ...result.problems],
    forgetPlans,
  }
}
