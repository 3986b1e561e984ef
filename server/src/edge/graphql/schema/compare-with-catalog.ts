import type { PgCodec, PgRegistry, PgResource } from '@dataplan/pg'
import type {} from 'graphile-build'
import type {} from 'graphile-build-pg'
import type { GraphQLSchema } from 'graphql'
import { type Catalog, isTable } from '../catalog/catalog.ts'
import { quoteName } from '../catalog/quote-name.ts'
import type { Touchable } from '../catalog/read-touchable.ts'
import type { SchemaProblem } from '../catalog/schema-problem.ts'
import { splitTags } from '../catalog/tag-lines.ts'
import { givenName, nameRelations } from '../names/name-relations.ts'

/**
 * Looks for a field for every column and function of the application's that the role may touch: whatever PostGraphile leaves
 * out, for whatever reason, it does so mostly without a word. What a comment hides is not missed.
 */
export function compareWithCatalog(
  schema: GraphQLSchema,
  registry: PgRegistry,
  inflection: GraphileBuild.Inflection,
  catalog: Catalog,
  { tables, functions }: Touchable,
): SchemaProblem[] {
  const schemaOf = new Map(catalog.namespaces.map(({ _id, nspname }) => [_id, nspname]))
  const isPies = (schemaId: string) => schemaOf.get(schemaId)?.startsWith('pie_') === true
  const hiding = new Set(
    catalog.descriptions
      .filter(({ description }) => splitTags(description).tags.some(({ tag }) => HIDING.test(tag)))
      .map(({ objoid, objsubid }) => `${objoid} ${objsubid}`),
  )
  const isHidden = (id: string, column = 0) =>
    hiding.has(`${id} 0`) || hiding.has(`${id} ${column}`)
  const fieldsOf = (type: string): string[] => {
    const found = schema.getType(type)
    return found !== undefined && 'getFields' in found ? Object.keys(found.getFields()) : []
  }
  const nameOf = (of: string, name: string) =>
    [schemaOf.get(of) ?? '', name].map(quoteName).join('.')
  const lost = (object: string): SchemaProblem => ({
    kind: 'left-out',
    object,
    other: null,
    what: 'is left out: GraphQL has no field for it, because of its type or what that refers to',
    mend: 'give it another type, such as text; or hide it, with a comment that begins with @behavior -*',
  })

  const codecs = new Map<string, PgCodec>()
  for (const codec of Object.values(registry.pgCodecs) as PgCodec[]) {
    const { schemaName, name } = codec.extensions?.pg ?? {}
    if (codec.attributes !== undefined) codecs.set(`${schemaName} ${name}`, codec)
  }
  const columns = Map.groupBy(
    catalog.attributes.filter(({ attisdropped, attnum }) => !attisdropped && attnum > 0),
    ({ attrelid }) => attrelid,
  )
  const lostColumns = catalog.classes
    .filter(
      ({ _id, relkind, relnamespace }) =>
        (relkind === 'c' || (isTable({ relkind }) && tables[_id]?.includes('r') === true)) &&
        !isPies(relnamespace) &&
        !isHidden(_id),
    )
    .flatMap(({ _id, relkind, relname, relnamespace, reltype }) => {
      const codec = codecs.get(`${schemaOf.get(relnamespace)} ${relname}`)
      if (codec === undefined)
        return relkind === 'c' ? [] : [lost(`table ${nameOf(relnamespace, relname)}`)]
      const type = inflection.tableType(codec)
      if (isHidden(reltype) || (relkind === 'c' && schema.getType(type) === undefined)) return []
      const shown = new Set(
        [type, inflection.inputType(type), inflection.patchType(type)].flatMap(fieldsOf),
      )
      return (columns.get(_id) ?? [])
        .filter(({ attname, attnum }) => {
          const isThere = codec.attributes?.[attname] !== undefined
          const field = isThere
            ? inflection.attribute({ attributeName: attname, codec: codec as never })
            : ''
          return !shown.has(field) && !isHidden(_id, attnum)
        })
        .map(({ attname }) => lost(`column ${nameOf(relnamespace, relname)}.${quoteName(attname)}`))
    })

  const shownFunctions = new Set<string>()
  for (const resource of Object.values(registry.pgResources) as PgResource[]) {
    const { schemaName, name } = resource.extensions?.pg ?? {}
    if (resource.parameters === undefined) continue
    const details = { resource: resource as never }
    const [first] = resource.parameters
    const places: [type: string, names: string[]][] = [
      ['Mutation', [inflection.customMutationField(details)]],
      [
        'Query',
        [
          inflection.customQueryField(details),
          inflection.customQueryConnectionField(details),
          inflection.customQueryListField(details),
        ],
      ],
    ]
    if (first?.codec.attributes !== undefined)
      places.push([
        inflection.tableType(first.codec),
        [
          inflection.computedAttributeField(details),
          inflection.computedAttributeConnectionField(details),
          inflection.computedAttributeListField(details),
        ],
      ])
    if (places.some(([type, names]) => fieldsOf(type).some((field) => names.includes(field))))
      shownFunctions.add(`${schemaName} ${name}`)
  }
  const lostFunctions = catalog.procs
    .filter(
      ({ _id, pronamespace, proname }) =>
        !isPies(pronamespace) &&
        !isHidden(_id) &&
        !shownFunctions.has(`${schemaOf.get(pronamespace)} ${proname}`),
    )
    .map(({ _id, proname }) => lost(`function ${functions[_id] ?? proname}`))

  const renamedRelations = [...codecs.values()].flatMap((codec) => {
    const names = nameRelations(inflection, { registry, codec })
    return Object.entries(registry.pgRelations[codec.name] ?? {}).flatMap(
      ([relationName, relation]): SchemaProblem[] => {
        const given = givenName(relation as never)
        const name = names.get(relationName) ?? given
        if (given === undefined || name === undefined || name === given) return []
        const { schemaName, name: table } = codec.extensions?.pg ?? {}
        const type = inflection.tableType(codec as never)
        const { remoteResource, remoteAttributes } = relation as never as {
          remoteResource: { codec: PgCodec }
          remoteAttributes: string[]
        }
        const remote = remoteResource.codec.extensions?.pg
        return [
          {
            kind: 'renamed',
            object: `what leads from ${schemaName}.${table} to ${remote?.schemaName}.${remote?.name} (${remoteAttributes.join(', ')})`,
            other: null,
            what: `would be ${given}, as another field of ${type} is: it is shown as ${inflection.camelCase(name)}`,
            mend: 'give it another name, in the comment on its foreign key',
          },
        ]
      },
    )
  })
  return [...lostColumns, ...lostFunctions, ...renamedRelations]
}

/** By these a comment hides what it is about, or makes something else of it. */
const HIDING = /^(behaviou?rs?|omit|enum|interface)$/
