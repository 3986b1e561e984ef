import { buildInflection } from 'graphile-build'
import type { GraphQLSchema } from 'graphql'
import type { Database } from '../../../ground/database/pool.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { keepTouchable } from '../catalog/keep-touchable.ts'
import { leaveOutColumns } from '../catalog/leave-out-columns.ts'
import { leaveOutFunctions } from '../catalog/leave-out-functions.ts'
import { leaveOutTags } from '../catalog/leave-out-tags.ts'
import { readTouchable } from '../catalog/read-touchable.ts'
import type { SchemaProblem } from '../catalog/schema-problem.ts'
import { withoutTags } from '../catalog/without-tags.ts'
import { nameApart } from '../names/name-apart.ts'
import type { DatabaseRole } from '../settings.ts'
import { buildFlat } from './build-flat.ts'
import { compareWithCatalog } from './compare-with-catalog.ts'
import { type Failed, findWhatFails, type LeftOut, problemOfFailed } from './find-what-fails.ts'
import { listUnits } from './list-units.ts'
import { createPreset } from './preset.ts'
import { problemsOfWords } from './problems-of-words.ts'
import { quietConsole } from './quiet-console.ts'
import { createFailedMemory, type FailedMemory } from './remember-failed.ts'
import { tellNumberedLabels } from './tell-numbered-labels.ts'
import type { Unit } from './unit.ts'

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
 * @param memory of the builds before
 * @throws where not even Pie's own tables can be shown
 */
export async function buildSchema(
  database: Pick<Database, 'send'>,
  schemas: readonly string[],
  role: DatabaseRole,
  memory: FailedMemory = createFailedMemory(),
): Promise<BuiltSchema> {
  const touchable = await readTouchable(database, schemas, role)
  const read = new Map<string, string>()
  let units: Unit[] = []
  let whole: Catalog | null = null
  let recalled: Failed[] = []
  const oidsOf = (what: Failed['what']) =>
    recalled.filter((one) => one.what === what).map(({ unit }) => unit.oid)
  const build = async (leftOut: LeftOut) => {
    let shown: Catalog | null = null
    const problems: SchemaProblem[] = []
    const reading = {
      read,
      revise(text: string): string {
        if (whole === null) {
          whole = JSON.parse(text) as Catalog
          recalled = memory.recall(whole)
        }
        const objects = new Set([...leftOut.objects, ...oidsOf('object')])
        const kept = keepTouchable(JSON.parse(text) as Catalog, touchable, objects)
        const functions = leaveOutFunctions(kept, touchable, role)
        const columns = leaveOutColumns(functions.catalog)
        const untagged = withoutTags(columns.catalog, new Set([...leftOut.tags, ...oidsOf('tags')]))
        const tags = leaveOutTags(untagged, touchable, inflection)
        const { catalog } = tags
        const names = nameApart(catalog, inflection, touchable, schemas)
        problems.push(...functions.problems, ...columns.problems, ...tags.problems, ...names)
        if (units.length === 0) units = listUnits(catalog, inflection, touchable, schemas)
        shown = catalog
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
    const built = await quietConsole(
      (text) => problems.push(...problemsOfWords(text)),
      () => buildFlat(preset, inflection),
    )
    const { schema, registry } = built
    const missed =
      shown === null ? [] : compareWithCatalog(schema, registry, inflection, shown, touchable)
    problems.push(...tellNumberedLabels(schema, registry, inflection))
    const isTold = ({ object }: SchemaProblem) =>
      problems.some((one) => one.kind === 'left-out' && one.object === object)
    return { ...built, problems: [...problems, ...missed.filter((one) => !isTold(one))] }
  }
  const { result, failed } = await findWhatFails(build, () => units)
  const allFailed = [...recalled, ...failed]
  if (whole !== null) memory.remember(allFailed, whole)
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
    problems: [...allFailed.map(problemOfFailed), ...result.problems],
    forgetPlans,
  }
}
