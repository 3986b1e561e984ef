import { type Catalog, isTable } from './catalog.ts'
import { knowTypes } from './know-types.ts'
import { quoteName } from './quote-name.ts'
import type { SchemaProblem } from './schema-problem.ts'

/**
 * Leaves out columns of types that PostGraphile knows nothing of, and tables without columns, each with its reason: it
 * would do so silently.
 */
export function leaveOutColumns(catalog: Catalog): { catalog: Catalog; problems: SchemaProblem[] } {
  const findUnknown = knowTypes(catalog)
  const classById = new Map(catalog.classes.map((one) => [one._id, one]))
  const schemaOf = new Map(catalog.namespaces.map(({ _id, nspname }) => [_id, nspname]))
  const nameOf = (schema: string, ...names: string[]) =>
    [schemaOf.get(schema) ?? '', ...names].map(quoteName).join('.')
  const problems: SchemaProblem[] = []
  const attributes = catalog.attributes.filter(({ attrelid, attname, atttypid }) => {
    const table = classById.get(attrelid)
    if (table === undefined || !(isTable(table) || table.relkind === 'c')) return true
    const unknown = findUnknown(atttypid)
    if (unknown === null) return true
    problems.push({
      kind: 'left-out',
      object: `column ${nameOf(table.relnamespace, table.relname, attname)}`,
      other: null,
      what: `is left out: GraphQL has no type for ${unknown}`,
      mend: 'show it by a function of the row that casts it to text',
    })
    return false
  })
  const withColumns = new Set(attributes.map(({ attrelid }) => attrelid))
  const classes = catalog.classes.filter((table) => {
    if (!isTable(table) || withColumns.has(table._id)) return true
    problems.push({
      kind: 'left-out',
      object: `table ${nameOf(table.relnamespace, table.relname)}`,
      other: null,
      what: 'is left out: it has no columns that could be shown',
      mend: 'nothing has to be done',
    })
    return false
  })
  return { catalog: { ...catalog, attributes, classes }, problems }
}
