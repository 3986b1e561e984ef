import { getCodecByPgCatalogTypeName } from '@dataplan/pg'
import type { Catalog } from './catalog.ts'

/** Types of extensions that PostGraphile knows. */
const OF_EXTENSIONS = ['citext', 'hstore', 'ltree']

/** Says of a type, by its oid, whether PostGraphile can read it: null, or the name of what it cannot. */
export function knowTypes(catalog: Catalog): (oid: string) => string | null {
  const typeById = new Map(catalog.types.map((type) => [type._id, type]))
  const subtypes = new Map(catalog.ranges.map(({ rngtypid, rngsubtype }) => [rngtypid, rngsubtype]))
  const labeled = new Set(catalog.enums.map(({ enumtypid }) => enumtypid))
  const builtIn = catalog.namespaces.find(({ nspname }) => nspname === 'pg_catalog')?._id
  const findUnknown = (oid: string): string | null => {
    const type = typeById.get(oid)
    if (type === undefined) return null
    const { typtype, typname, typnamespace, typelem, typbasetype } = type
    if (typtype === 'c') return null
    if (typtype === 'e') return labeled.has(oid) ? null : `${typname}, which has no labels`
    if (typnamespace === builtIn && getCodecByPgCatalogTypeName(typname) !== null) return null
    if (typtype === 'd') return findUnknown(typbasetype)
    if (typtype === 'r') return findUnknown(subtypes.get(oid) ?? '0')
    if (typtype === 'b' && typelem !== '0') return findUnknown(typelem)
    return typtype === 'b' && OF_EXTENSIONS.includes(typname) ? null : typname
  }
  return findUnknown
}
