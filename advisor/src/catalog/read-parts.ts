import type { Part } from './catalog.ts'
import { expressionOf, type Reading } from './reading.ts'

/** The least oid of what is not Postgres' own (FirstNormalObjectId). */
export const FIRST_OID_OF_OTHERS = 16_384

/**
 * What runs without being named where it runs: checks of domains, types in composite types and ranges, the steps of
 * aggregates, and what operator classes compare with.
 */
export async function readParts({ ask }: Reading): Promise<Part[]> {
  const rows = await ask<{
    of: 'type' | 'function'
    oid: number
    on: 'type' | 'function' | null
    other: number
    tree: string | null
  }>(`
    select 'type' as of, contypid::oid as oid, null as "on", 0::oid as other, conbin::text as tree
    from pg_constraint where contypid >= ${FIRST_OID_OF_OTHERS} and conbin is not null
    union all
    select 'type', reltype, 'type', atttypid, null
    from pg_class join pg_attribute on attrelid = pg_class.oid
    where relkind = 'c' and attnum > 0 and atttypid >= ${FIRST_OID_OF_OTHERS}
    union all
    select 'type', rngtypid, 'type', rngsubtype, null from pg_range where rngtypid >= ${FIRST_OID_OF_OTHERS}
    union all
    select 'function', aggfnoid::oid, 'function', step, null
    from pg_aggregate cross join lateral unnest(array[aggtransfn::oid, aggfinalfn, aggmtransfn, aggmfinalfn, aggminvtransfn]) as step
    where aggfnoid >= ${FIRST_OID_OF_OTHERS} and step <> 0
    union all
    select 'type', amproclefttype, 'function', amproc::oid, null from pg_amproc where amproc >= ${FIRST_OID_OF_OTHERS}`)
  return rows.flatMap(({ of, oid, on, other, tree }): Part[] => {
    const expression = expressionOf(null, tree)
    if (on !== null) return [{ of: { kind: of, oid }, on: { kind: on, oid: other } }]
    return expression === null ? [] : [{ of: { kind: of, oid }, on: expression }]
  })
}

/** What indexes, generated columns and keys of partitions have worked out, and keep. */
export async function readKeptFunctions({ ask }: Reading): Promise<Set<number>> {
  const rows = await ask<{ oid: number }>(`
    select distinct refobjid as oid from pg_depend
    left join pg_class on classid = 'pg_class'::regclass and pg_class.oid = objid
    left join pg_attrdef on classid = 'pg_attrdef'::regclass and pg_attrdef.oid = objid
    left join pg_attribute on attrelid = adrelid and attnum = adnum
    where refclassid = 'pg_proc'::regclass and refobjid >= ${FIRST_OID_OF_OTHERS}
      and (relkind in ('i', 'I', 'p') or attgenerated <> '')`)
  return new Set(rows.map(({ oid }) => oid))
}
