import type pg from 'pg'

/** What an application's migration makes, and `pie migrate --redo` takes away again. */
const objects = `
  select 'pg_catalog.pg_namespace'::regclass::oid as classid, oid as objid from pg_catalog.pg_namespace
  union all
  select 'pg_catalog.pg_class'::regclass, oid from pg_catalog.pg_class where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  union all
  select 'pg_catalog.pg_proc'::regclass, oid from pg_catalog.pg_proc
  union all
  select 'pg_catalog.pg_type'::regclass, pg_type.oid from pg_catalog.pg_type
  left join pg_catalog.pg_class on pg_class.oid = typrelid
  where typtype in ('e', 'd', 'r') or (typtype = 'c' and relkind = 'c')
  union all
  select 'pg_catalog.pg_policy'::regclass, oid from pg_catalog.pg_policy
  union all
  select 'pg_catalog.pg_trigger'::regclass, oid from pg_catalog.pg_trigger where not tgisinternal`

/** Without what is an extension's, and what is a part of something else. */
const newObjects = `
  select identity.type || ' ' || identity.identity as made
  from (${objects}) as objects
  cross join lateral pg_catalog.pg_identify_object(classid, objid, 0) as identity
  where (classid, objid) not in (select * from unnest($1::oid[], $2::oid[]))
    and identity.schema is distinct from 'pg_toast'
    and not exists (
      select from pg_catalog.pg_depend
      where pg_depend.classid = objects.classid and pg_depend.objid = objects.objid and deptype in ('e', 'i')
    )
  order by objid`

/**
 * Does something to the database, and says what it has made, in the order it was made: `table app.notes`,
 * `function app.share(uuid)`. Each is what `drop` takes.
 */
export async function readMade(owner: pg.Client, work: () => Promise<void>): Promise<string[]> {
  const { rows: before } = await owner.query<{ classid: number; objid: number }>(objects)
  await work()
  // A file may have left a search path of its own: what is identified has its schema before it all the same.
  const { rows } = await owner.query<{ made: string }>(newObjects, [
    before.map(({ classid }) => classid),
    before.map(({ objid }) => objid),
  ])
  return rows.map(({ made }) => made)
}
