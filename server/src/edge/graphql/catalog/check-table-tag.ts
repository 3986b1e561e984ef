import { type Catalog, type CatalogClass, isTable } from './catalog.ts'
import { readForeignKeyTag } from './read-foreign-key-tag.ts'
import { splitTags, type TagLine } from './tag-lines.ts'

/** What a comment on a table says of the database may not be there. */
export type CheckTableTag = (table: CatalogClass, line: TagLine) => string | null

/** Types by whose values an enum may be made. */
const TEXTS = ['text', 'varchar', 'bpchar', 'citext', 'name']

/**
 * Looks in the catalog for what lines of comments on tables refer to.
 * @param commentOf a table's
 * @param isReadable whether the role reads a table
 */
export function tableTagChecks(
  catalog: Catalog,
  commentOf: (table: CatalogClass) => string,
  isReadable: (table: CatalogClass) => boolean,
): CheckTableTag {
  const schemaOf = new Map(catalog.namespaces.map(({ _id, nspname }) => [_id, nspname]))
  const typeOf = new Map(catalog.types.map((type) => [type._id, type]))
  const columns = Map.groupBy(
    catalog.attributes.filter(({ attisdropped, attnum }) => !attisdropped && attnum > 0),
    ({ attrelid }) => attrelid,
  )
  const columnsOf = ({ _id }: CatalogClass) => columns.get(_id) ?? []
  const namesOf = (table: CatalogClass) => columnsOf(table).map(({ attname }) => attname)
  const missing = (table: CatalogClass, names: readonly string[]): string | null => {
    const known = namesOf(table)
    const lost = names.find((name) => !known.includes(name))
    return lost === undefined ? null : `there is no column ${lost} in ${table.relname}`
  }
  const written = (table: CatalogClass, ...tags: string[]): string[][] =>
    splitTags(commentOf(table))
      .tags.filter(({ tag, value }) => tags.includes(tag) && value !== null)
      .map(({ value }) => listed(value ?? ''))
      .filter((names) => missing(table, names) === null)
  const constraints = Map.groupBy(catalog.constraints, ({ conrelid }) => conrelid)
  const keysOf = (table: CatalogClass, ...kinds: string[]): string[][] => [
    ...(constraints.get(table._id) ?? [])
      .filter(({ contype }) => kinds.includes(contype))
      .map(({ conkey }) =>
        (conkey ?? []).map(
          (number) => columnsOf(table).find(({ attnum }) => attnum === number)?.attname ?? '',
        ),
      ),
    ...written(table, ...(kinds.includes('u') ? ['primaryKey', 'unique'] : ['primaryKey'])),
  ]
  const checkForeignKey = (table: CatalogClass, text: string): string | null => {
    const key = readForeignKeyTag(text)
    if (key === null) return 'it is written (columns) references schema.table (columns)'
    const schema = key.schema ?? schemaOf.get(table.relnamespace)
    const other = catalog.classes.find(
      ({ relname, relnamespace }) => relname === key.table && schemaOf.get(relnamespace) === schema,
    )
    if (other === undefined || !(isTable(other) || other.relkind === 'c'))
      return `there is no ${schema}.${key.table}`
    const [primary] = keysOf(other, 'p')
    const foreign = key.foreignColumns ?? primary
    if (foreign === undefined) return `${schema}.${key.table} has no primary key`
    if (foreign.length !== key.columns.length) return 'it has more columns on one side'
    const isKey = keysOf(other, 'p', 'u').some(
      (names) => names.length === foreign.length && names.every((one) => foreign.includes(one)),
    )
    return (
      missing(table, key.columns) ??
      missing(other, foreign) ??
      (isKey ? null : `${foreign.join(', ')} is no key of ${schema}.${key.table}`)
    )
  }
  const checkInterface = (table: CatalogClass, text: string): string | null => {
    const mode = /(?:^|\s)mode:(\S+)/.exec(text)?.[1]
    if (mode === 'union')
      return isTable(table) ? 'that is for types, and not for what has rows' : null
    if (mode !== 'single' && mode !== 'relational') return 'its mode is single, relational or union'
    return missing(table, [/(?:^|\s)type:"?([^\s"]+)/.exec(text)?.[1] ?? 'type'])
  }
  const checkEnum = (table: CatalogClass): string | null => {
    const [key] = keysOf(table, 'p')
    if (key === undefined) return 'it has no primary key'
    if (key.length > 1) return 'its primary key has more columns than one'
    const column = columnsOf(table).find(({ attname }) => attname === key[0])
    const type = typeOf.get(column?.atttypid ?? '')
    if (type?.typtype !== 'e' && !TEXTS.includes(type?.typname ?? ''))
      return `its key is ${type?.typname ?? 'of another type'}, and not text`
    return isReadable(table) ? null : 'its rows may not be read'
  }
  return (table, { tag, value }) => {
    const text = value ?? ''
    if (tag === 'primaryKey' || tag === 'unique') return missing(table, listed(text))
    if (tag === 'foreignKey') return checkForeignKey(table, text)
    if (tag === 'interface') return checkInterface(table, text)
    return tag === 'enum' ? checkEnum(table) : null
  }
}

/** As PostGraphile reads it: with blanks, in upper and in lower case, as they are. */
const listed = (text: string): string[] => (text.split('|')[0] ?? '').split(',')
