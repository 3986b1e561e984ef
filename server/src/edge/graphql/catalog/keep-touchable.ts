import { type Catalog, type CatalogClass, isTable } from './catalog.ts'
import type { Touchable } from './read-touchable.ts'

/**
 * The catalog as far as a role may touch it, with the types that this is made of: what somebody may not touch
 * changes nothing for them, whatever it is called. Of a partitioned table the partitions are left out.
 * @param leftOut oids of tables and functions that are kept from it besides
 */
export function keepTouchable(
  catalog: Catalog,
  { tables, closedColumns, functions }: Touchable,
  leftOut: ReadonlySet<string>,
): Catalog {
  const ofExtensions = new Set(
    catalog.depends
      .filter(({ classid, deptype }) => deptype === 'e' && catalog.catalog_by_oid[classid] !== '')
      .map(({ classid, objid }) => `${catalog.catalog_by_oid[classid]} ${objid}`),
  )
  const rangeNames = new Set(
    catalog.types
      .filter(({ typtype }) => typtype === 'r' || typtype === 'm')
      .map(({ typnamespace, typname }) => `${typnamespace} ${typname}`),
  )
  const procs = catalog.procs.filter(
    ({ _id, pronamespace, proname, prorettype }) =>
      _id in functions &&
      !leftOut.has(_id) &&
      !TRIGGERS.has(prorettype) &&
      !ofExtensions.has(`pg_proc ${_id}`) &&
      !rangeNames.has(`${pronamespace} ${proname}`),
  )
  const parents = new Map(catalog.inherits.map(({ inhrelid, inhparent }) => [inhrelid, inhparent]))
  const isShown = ({ _id }: Pick<CatalogClass, '_id'>) => _id in tables && !leftOut.has(_id)
  const shown = catalog.classes.filter(
    (table) =>
      isTable(table) &&
      isShown(table) &&
      !ofExtensions.has(`pg_class ${table._id}`) &&
      !(table.relispartition && ancestorsOf(table._id, parents).some((_id) => isShown({ _id }))),
  )
  const reached = reachFrom(catalog, shown, procs)
  const { classes: kept, types } = reached
  const closed = new Set(closedColumns)
  for (const { contype, conrelid, conkey, confrelid, confkey } of catalog.constraints) {
    if (!['p', 'u', 'f'].includes(contype)) continue
    for (const number of conkey ?? []) closed.delete(`${conrelid} ${number}`)
    for (const number of confkey ?? []) closed.delete(`${confrelid} ${number}`)
  }
  const indexes = catalog.indexes.filter(
    ({ indrelid, indkey }) =>
      kept.has(indrelid) &&
      !String(indkey)
        .split(/[ ,]/)
        .some((number) => closed.has(`${indrelid} ${number}`)),
  )
  const indexIds = new Set(indexes.map(({ indexrelid }) => indexrelid))
  return {
    ...catalog,
    procs,
    classes: catalog.classes
      .filter(({ _id }) => kept.has(_id) || indexIds.has(_id))
      // PostGraphile shows no table that is not logged; to those who ask it is one as any other.
      .map((one) => ({ ...one, relpersistence: 'p' })),
    attributes: catalog.attributes.filter(
      ({ attrelid, attnum }) => kept.has(attrelid) && !closed.has(`${attrelid} ${attnum}`),
    ),
    constraints: catalog.constraints.filter(
      ({ contype, conrelid, confrelid }) =>
        (conrelid === '0' || kept.has(conrelid)) && (contype !== 'f' || kept.has(confrelid)),
    ),
    types: catalog.types.filter(({ _id, typelem }) => types.has(_id) || types.has(typelem)),
    enums: catalog.enums.filter(({ enumtypid }) => types.has(enumtypid)),
    ranges: catalog.ranges.filter(({ rngtypid }) => types.has(rngtypid)),
    indexes,
    inherits: catalog.inherits.filter(
      ({ inhrelid, inhparent }) => kept.has(inhrelid) && kept.has(inhparent),
    ),
    policies: catalog.policies.filter(({ polrelid }) => kept.has(polrelid)),
  }
}

/** What functions return that only triggers call. */
const TRIGGERS = new Set(['2279', '3838'])

function ancestorsOf(_id: string, parents: ReadonlyMap<string, string>): string[] {
  const parent = parents.get(_id)
  return parent === undefined ? [] : [parent, ...ancestorsOf(parent, parents)]
}

/** Follows types to what they are made of: elements, bounds, what a domain restricts, columns of what is composite. */
function reachFrom(
  catalog: Catalog,
  tables: Catalog['classes'],
  procs: Catalog['procs'],
): { classes: Set<string>; types: Set<string> } {
  const typeById = new Map(catalog.types.map((type) => [type._id, type]))
  const subtypes = new Map<string, string>()
  for (const { rngtypid, rngsubtype, rngmultitypid } of catalog.ranges) {
    subtypes.set(rngtypid, rngsubtype)
    subtypes.set(rngmultitypid, rngtypid)
  }
  const columns = Map.groupBy(
    catalog.attributes.filter(({ attisdropped }) => !attisdropped),
    ({ attrelid }) => attrelid,
  )
  const classes = new Set(tables.map(({ _id }) => _id))
  const types = new Set<string>()
  const waiting = [
    ...tables.map(({ reltype }) => reltype),
    ...procs.flatMap((proc) => [
      proc.prorettype,
      ...(proc.proallargtypes ?? proc.proargtypes ?? []),
    ]),
  ]
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const type = typeById.get(id)
    if (type === undefined || types.has(id)) continue
    types.add(id)
    const { typelem, typbasetype, typrelid } = type
    waiting.push(typelem, typbasetype, subtypes.get(id) ?? '0')
    if (typrelid === '0') continue
    classes.add(typrelid)
    waiting.push(...(columns.get(typrelid) ?? []).map(({ atttypid }) => atttypid))
  }
  return { classes, types }
}
