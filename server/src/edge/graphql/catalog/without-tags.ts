import type { Catalog, CatalogDescription } from './catalog.ts'
import { splitTags } from './tag-lines.ts'

/** Says what a comment is about: a table, for one on its column, key or row; a function. */
export function ownersOfComments(catalog: Catalog): (one: CatalogDescription) => string {
  const tableOf = new Map([
    ...catalog.constraints.map(({ _id, conrelid }) => [_id, conrelid] as const),
    ...catalog.types
      .filter(({ typrelid }) => typrelid !== '0')
      .map(({ _id, typrelid }) => [_id, typrelid] as const),
  ])
  return ({ classoid, objoid }) =>
    ['pg_constraint', 'pg_type'].includes(catalog.catalog_by_oid[classoid] ?? '')
      ? (tableOf.get(objoid) ?? objoid)
      : objoid
}

/** Takes the smart tags from what is about these. */
export function withoutTags(catalog: Catalog, owners: ReadonlySet<string>): Catalog {
  if (owners.size === 0) return catalog
  const ownerOf = ownersOfComments(catalog)
  return {
    ...catalog,
    descriptions: catalog.descriptions.map((one) =>
      owners.has(ownerOf(one)) ? { ...one, description: splitTags(one.description).rest } : one,
    ),
  }
}
