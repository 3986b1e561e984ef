import type { PgCodec, PgEnumCodec, PgRegistry } from '@dataplan/pg'
import type {} from 'graphile-build'
import type {} from 'graphile-build-pg'
import type { GraphQLSchema } from 'graphql'
import { quoteName } from '../catalog/quote-name.ts'
import type { SchemaProblem } from '../catalog/schema-problem.ts'

/** Tells of labels that would be called as another of their enum, and so have a number: clients send what they are called. */
export function tellNumberedLabels(
  schema: GraphQLSchema,
  registry: PgRegistry,
  inflection: GraphileBuild.Inflection,
): SchemaProblem[] {
  return (Object.values(registry.pgCodecs) as PgCodec[]).flatMap((codec) => {
    if (!isEnum(codec) || schema.getType(inflection.enumType(codec)) === undefined) return []
    const labels = new Map(
      codec.values.map(({ value }) => [inflection.enumValue(value, codec), value]),
    )
    const { schemaName = '', name: type = '' } = codec.extensions?.pg ?? {}
    const nameOf = (label: string) => `label '${label.replaceAll("'", "''")}'`
    const ofType = `of type ${quoteName(schemaName)}.${quoteName(type)}`
    return [...labels].flatMap(([name, label]): SchemaProblem[] => {
      const [, wanted = ''] = /^(.+)_\d+$/.exec(name) ?? []
      const other = labels.get(wanted)
      if (other === undefined || name === label) return []
      const object = `${nameOf(label)} ${ofType}`
      const what = `would be ${wanted}, as ${nameOf(other)} is: it is shown as ${name}`
      const mend = `to name it yourself: alter type ${quoteName(schemaName)}.${quoteName(type)} rename value ${nameOf(label).slice(6)} to …`
      return [{ kind: 'renamed', object, other: `${nameOf(other)} ${ofType}`, what, mend }]
    })
  })
}

const isEnum = (codec: PgCodec): codec is PgEnumCodec =>
  'values' in codec && Array.isArray(codec.values)
