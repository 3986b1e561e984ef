import type { PgCodec, PgRegistry } from '@dataplan/pg'
import type {} from 'graphile-build'
import type {} from 'graphile-build-pg'

interface OfRow {
  registry: PgRegistry
  codec: PgCodec
}

const known = new WeakMap<object, ReadonlyMap<string, string>>()

/** The fields by which rows lead to others, by the relation's own name: short where that is free, long otherwise. */
export function nameRelations(
  inflection: GraphileBuild.Inflection,
  { registry, codec }: { registry: unknown; codec: unknown },
): ReadonlyMap<string, string> {
  const row = { registry, codec } as OfRow
  const names = known.get(row.codec) ?? nameAll(inflection, row)
  known.set(row.codec, names)
  return names
}

function nameAll(inflection: GraphileBuild.Inflection, { registry, codec }: OfRow) {
  const relations = Object.entries(registry.pgRelations[codec.name] ?? {}) as [string, Relation][]
  const taken = new Set([inflection.nodeIdFieldName(), ...columnFields(inflection, codec)])
  const names = new Map<string, string>()
  const wishes = relations.map(([name, relation]) => {
    const given = givenName(relation)
    const isShown = !isHiding(relation)
    return {
      name,
      // Pie's own keep their names whatever is written; then what has been given one. What is not shown takes none.
      rank:
        isPies(codec) && isPies(relation.remoteResource.codec) ? 0 : !isShown ? 3 : given ? 1 : 2,
      wanted: given === undefined ? wishesOf(inflection, codec, relation) : [given],
    }
  })
  for (const { name, wanted } of wishes.toSorted((one, other) => one.rank - other.rank)) {
    const free = wanted.find((one) => !taken.has(inflection.camelCase(one)))
    const last = wanted.at(-1) ?? ''
    const chosen = free ?? numbered(last, taken, (text) => inflection.camelCase(text))
    taken.add(inflection.camelCase(chosen))
    names.set(name, chosen)
  }
  return names
}

interface Relation {
  isReferencee?: boolean
  isUnique?: boolean
  localAttributes: readonly string[]
  remoteAttributes: readonly string[]
  remoteResource: { codec: PgCodec }
  extensions?: { tags?: Record<string, unknown> }
}

const isPies = ({ extensions }: PgCodec): boolean =>
  extensions?.pg?.schemaName.startsWith('pie_') === true

/** Whether a comment says that nothing is shown of it. */
function isHiding({ isReferencee, extensions }: Relation): boolean {
  const { behavior, omit, forwardBehavior, backwardBehavior } = extensions?.tags ?? {}
  const said = [behavior, isReferencee ? backwardBehavior : forwardBehavior].flat().join(' ')
  return (
    omit === true ||
    /(^|\s)-(\*|select|connection|single|manyToOne|singularRelation:\S+)(\s|$)/.test(said)
  )
}

/** By a comment. */
export function givenName({ isReferencee, isUnique, extensions }: Relation): string | undefined {
  const { fieldName, foreignSingleFieldName, foreignFieldName, foreignConnectionFieldName } =
    extensions?.tags ?? {}
  const names = isReferencee
    ? [isUnique ? foreignSingleFieldName : foreignConnectionFieldName, foreignFieldName]
    : [fieldName]
  return names.find((name): name is string => typeof name === 'string')
}

/** From the shortest on. */
function wishesOf(
  inflection: GraphileBuild.Inflection,
  codec: PgCodec,
  relation: Relation,
): string[] {
  const { isReferencee, isUnique, localAttributes, remoteAttributes, remoteResource } = relation
  const remote = remoteResource.codec
  const type = inflection.tableType(remote as never)
  const join = (of: PgCodec, columns: readonly string[]) =>
    inflection._joinAttributeNames(of as never, [...columns])
  const [attribute = '', ...others] = isReferencee ? remoteAttributes : localAttributes
  if (!isReferencee) {
    const [, base] = /^(.+)_id$/.exec(attribute) ?? []
    const long = `${type}-by-${join(codec, localAttributes)}`
    return base === undefined || others.length > 0 ? [long] : [base, long]
  }
  if (isUnique) return [`${type}-by-${join(remote, remoteAttributes)}`]
  const rows = inflection.pluralize(type)
  const long = `${rows}-by-${join(remote, remoteAttributes)}`
  const isOwn =
    inflection.camelCase(attribute.replace(/_id$/, '')) ===
    inflection.camelCase(inflection.tableType(codec as never))
  return isOwn && others.length === 0 ? [rows, long] : [long]
}

/** The fields that columns have. */
export const columnFields = (inflection: GraphileBuild.Inflection, codec: PgCodec): string[] =>
  Object.keys(codec.attributes ?? {}).map((attributeName) =>
    inflection.attribute({ attributeName, codec: codec as never }),
  )

/** The first of `name_2`, `name_3` and so on that is free. */
export function numbered(
  name: string,
  taken: ReadonlySet<string>,
  fieldOf: (text: string) => string = (text) => text,
): string {
  let count = 2
  while (taken.has(fieldOf(`${name}_${count}`))) count++
  return `${name}_${count}`
}
