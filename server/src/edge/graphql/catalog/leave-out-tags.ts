import { codecNamed } from '../names/codec-named.ts'
import { type Catalog, type CatalogClass, isTable } from './catalog.ts'
import { tableTagChecks } from './check-table-tag.ts'
import { checkTag } from './check-tag.ts'
import { quoteName } from './quote-name.ts'
import type { Touchable } from './read-touchable.ts'
import type { SchemaProblem } from './schema-problem.ts'
import { joinTags, splitTags, type TagLine } from './tag-lines.ts'

interface Commented {
  object: string
  table?: CatalogClass
}

/**
 * Leaves out the lines of comments that PostGraphile could not follow, each with its reason: it would throw, mostly without
 * saying what about.
 */
export function leaveOutTags(
  catalog: Catalog,
  touchable: Touchable,
  inflection: GraphileBuild.Inflection,
): { catalog: Catalog; problems: SchemaProblem[] } {
  const classes = new Map(catalog.classes.map((one) => [one._id, one]))
  const oidOf = Object.fromEntries(
    Object.entries(catalog.catalog_by_oid).map(([oid, name]) => [name, oid]),
  )
  const comments = new Map(
    catalog.descriptions
      .filter(({ classoid, objsubid }) => classoid === oidOf['pg_class'] && objsubid === 0)
      .map(({ objoid, description }) => [objoid, description]),
  )
  const checkTable = tableTagChecks(
    catalog,
    ({ _id }) => comments.get(_id) ?? '',
    ({ _id }) => (touchable.tables[_id] ?? '').includes('r'),
  )
  const find = finder(catalog, touchable)
  // A comment on what is composite is on its type.
  const rowTypes = new Map(catalog.classes.map((one) => [one.reltype, one.relname]))
  const interfaces = new Set(
    catalog.descriptions.flatMap(({ objoid, description }) => {
      const { tags } = splitTags(description)
      if (!tags.some(({ tag }) => tag === 'interface')) return []
      const given = tags.find(({ tag }) => tag === 'name')?.value?.trim()
      const name = given ?? classes.get(objoid)?.relname ?? rowTypes.get(objoid)
      return name === undefined ? [] : [inflection.tableType(codecNamed(name, inflection))]
    }),
  )
  const checkInterface = ({ tag, value }: TagLine): string | null =>
    tag !== 'implements' || interfaces.has(value?.trim() ?? '')
      ? null
      : 'there is no @interface that is called so'
  const problems: SchemaProblem[] = []
  const descriptions = catalog.descriptions.map((one) => {
    if (!/^\s*@/.test(one.description)) return one
    const commented = find(catalog.catalog_by_oid[one.classoid] ?? '', one.objoid, one.objsubid)
    if (commented === undefined) return one
    const { tags, rest } = splitTags(one.description)
    const isFollowed = (line: TagLine): boolean => {
      const { object, table } = commented
      const reason =
        checkInterface(line) ??
        checkTag(line, tags) ??
        checkNested(line) ??
        (table === undefined ? null : checkTable(table, line))
      if (reason === null) return true
      problems.push({
        kind: 'left-out',
        object,
        other: null,
        what: `is shown as if it had no ${line.line.trim()}: ${reason}`,
        mend: `take that line from its comment, or mend it: comment on ${object} is …`,
      })
      return false
    }
    const kept = tags.filter(isFollowed)
    return kept.length === tags.length ? one : { ...one, description: joinTags(kept, rest) }
  })
  return { catalog: { ...catalog, descriptions }, problems }

  function finder(
    { namespaces, attributes, constraints, procs, types }: Catalog,
    { functions }: Touchable,
  ) {
    const schemaOf = new Map(namespaces.map(({ _id, nspname }) => [_id, nspname]))
    const columns = new Map(
      attributes.map(({ attrelid, attnum, attname }) => [`${attrelid} ${attnum}`, attname]),
    )
    const constraintById = new Map(constraints.map((one) => [one._id, one]))
    const typeById = new Map(types.map((one) => [one._id, one]))
    const procIds = new Set(procs.map(({ _id }) => _id))
    const named = (schema: string, ...names: string[]) =>
      [schemaOf.get(schema) ?? '', ...names].map(quoteName).join('.')
    return (of: string, id: string, column: number): Commented | undefined => {
      const table = classes.get(id)
      const type = typeById.get(id)
      const constraint = constraintById.get(id)
      const on = classes.get(constraint?.conrelid ?? '')
      if (of === 'pg_class' && table !== undefined && (isTable(table) || table.relkind === 'c')) {
        const name = columns.get(`${id} ${column}`)
        if (column === 0)
          return {
            object: `${KINDS[table.relkind]} ${named(table.relnamespace, table.relname)}`,
            table,
          }
        if (name !== undefined)
          return { object: `column ${named(table.relnamespace, table.relname, name)}` }
      }
      if (of === 'pg_constraint' && constraint !== undefined && on !== undefined)
        return {
          object: `constraint ${quoteName(constraint.conname)} on ${named(on.relnamespace, on.relname)}`,
        }
      const row = classes.get(type?.typrelid ?? '')
      if (of === 'pg_type' && row?.relkind === 'c')
        return { object: `type ${named(row.relnamespace, row.relname)}`, table: row }
      if (of === 'pg_type' && type !== undefined)
        return {
          object: `${type.typtype === 'd' ? 'domain' : 'type'} ${named(type.typnamespace, type.typname)}`,
        }
      return of === 'pg_proc' && procIds.has(id)
        ? { object: `function ${functions[id] ?? id}` }
        : undefined
    }
  }
}

const KINDS: Record<string, string> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  c: 'type',
}

/** Of keys that comments make: after each `|` is a line of the key's own comment. */
function checkNested({ tag, value }: TagLine): string | null {
  if (!/^(foreignKey|primaryKey|unique)$/.test(tag)) return null
  const { tags } = splitTags((value ?? '').split('|').slice(1).join('\n'))
  return tags.map((line) => checkTag(line, tags)).find((reason) => reason !== null) ?? null
}
