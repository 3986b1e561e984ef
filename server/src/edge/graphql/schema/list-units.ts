import type { Catalog } from '../catalog/catalog.ts'
import type { Touchable } from '../catalog/read-touchable.ts'
import { openTags } from '../catalog/tags.ts'
import { ownersOfComments } from '../catalog/without-tags.ts'
import { listNamed } from '../names/list-named.ts'
import type { Unit } from './unit.ts'

/** What of the application's may be left out. */
export function listUnits(
  catalog: Catalog,
  inflection: GraphileBuild.Inflection,
  touchable: Touchable,
  schemas: readonly string[],
): Unit[] {
  const ownerOf = ownersOfComments(catalog)
  const tagged = new Set(
    catalog.descriptions.filter(({ description }) => /^\s*@/.test(description)).map(ownerOf),
  )
  return listNamed(catalog, inflection, touchable, schemas, openTags(catalog))
    .filter(({ place, object }) => place.of !== 'pg_type' && !object.includes(' pie_schema.'))
    .map(({ place: { objoid: oid }, object }) => ({ oid, object, isTagged: tagged.has(oid) }))
}
