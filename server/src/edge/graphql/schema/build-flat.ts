import type { PgRegistry } from '@dataplan/pg'
import { type buildInflection, gather, getBuilder, type SchemaBuilder } from 'graphile-build'
import type { GraphQLFieldMap, GraphQLSchema } from 'graphql'

/** How many types may be made inside each other: each takes some 60 frames of the stack. */
const MOST_DEEP = 20

type Fields = GraphQLFieldMap<unknown, unknown>

/**
 * What `makeSchema` of PostGraphile's does, with a stack that is no deeper for many tables: there, a type is made with those
 * that its fields lead to, and these with theirs, and some hundred tables that refer to each other end the stack. Here the
 * types of rows are finished later, where that goes too deep.
 */
export async function buildFlat(
  preset: GraphileConfig.Preset,
  inflection: ReturnType<typeof buildInflection>,
): Promise<{
  schema: GraphQLSchema
  resolvedPreset: GraphileConfig.ResolvedPreset
  registry: PgRegistry
}> {
  const input = await gather(preset, { inflection })
  const builder = getBuilder(preset, inflection)
  flatten(builder)
  const schema = builder.buildSchema(input)
  return { schema, resolvedPreset: builder.resolvedPreset, registry: input.pgRegistry }
}

function flatten(builder: SchemaBuilder): void {
  const { newWithHooks } = builder
  let depth = 0
  builder.newWithHooks = ((...args: Parameters<typeof newWithHooks>) => {
    const type = newWithHooks(...args) as { getFields?(): Fields }
    const [, , , scope] = args
    if (!('isPgClassType' in scope) || type.getFields === undefined) return type
    const finish = type.getFields.bind(type)
    let fields: Fields | null = null
    type.getFields = () => {
      if (fields !== null) return fields
      // All that is asked of it then is whether there are any, and of a table's row there is one.
      if (depth >= MOST_DEEP) return unfinished
      depth += 1
      try {
        fields = finish()
        return fields
      } finally {
        depth -= 1
      }
    }
    return type
  }) as typeof newWithHooks
}

const unfinished = { later: null } as unknown as Fields
