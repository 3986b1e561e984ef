import type { Column, Constraint, Index, Relation, Schema, Trigger } from './catalog.ts'
import { constraintsByIndex, type KeyRow, keyColumns, keysOf } from './read-index-keys.ts'
import { extensionOf, isOfPostgres, isPassing, type Reading } from './reading.ts'

type Plain =
  | 'oid'
  | 'name'
  | 'sql'
  | 'kind'
  | 'owner'
  | 'rowSecurity'
  | 'forced'
  | 'isPartition'
  | 'estimatedRows'
  | 'comment'
  | 'extension'

interface RelationRow extends Pick<Relation, Plain> {
  schema: number
  acl: string[]
  parents: number[] | null
  securityInvoker: boolean
  securityBarrier: boolean
}

const option = (name: string) => `coalesce((
    select option_value::boolean from pg_options_to_table(reloptions) where option_name = '${name}'
  ), false)`

/** Tables, views and sequences with their columns, indexes, constraints and triggers. */
export async function readRelations(
  reading: Reading,
  schemas: ReadonlyMap<number, Schema>,
): Promise<Map<number, Relation>> {
  const rows = await reading.ask<RelationRow>(`
    select c.oid, relnamespace as schema, relname as name, format('%I.%I', nspname, relname) as sql, relkind as kind,
      relowner as owner, coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))::text[] as acl,
      relrowsecurity as "rowSecurity", relforcerowsecurity as forced, relispartition as "isPartition",
      case when relhassubclass or relispartition or exists (select from pg_inherits where inhrelid = c.oid)
        then array(select inhparent from pg_inherits where inhrelid = c.oid order by inhseqno) end as parents,
      case when reloptions is null then false else ${option('security_invoker')} end as "securityInvoker",
      case when reloptions is null then false else ${option('security_barrier')} end as "securityBarrier",
      reltuples as "estimatedRows", description as comment, ${extensionOf('pg_class', 'c.oid')} as extension
    from pg_class as c join pg_namespace as n on n.oid = relnamespace
    left join pg_description on classoid = 'pg_class'::regclass and objoid = c.oid and objsubid = 0
    where relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not ${isPassing('nspname')}
    order by nspname collate "C", relname collate "C"`)
  const relations = new Map<number, Relation>()
  for (const { schema: oid, acl, parents, securityInvoker, securityBarrier, ...row } of rows) {
    const schema = schemas.get(oid)
    if (schema === undefined) continue
    relations.set(row.oid, {
      ...row,
      schema,
      acl: reading.readAcl(acl),
      parents: parents ?? [],
      options: { securityInvoker, securityBarrier },
      columns: [],
      policies: [],
      triggers: [],
      rules: [],
      indexes: [],
      constraints: [],
      ownedBy: null,
      isAsked: schema.isAsked && row.extension === null,
      arePoliciesAsked:
        (schema.isAsked || reading.policiesIn.includes(schema.name)) && row.extension === null,
    })
  }
  await addColumns(reading, relations)
  await addIndexes(reading, relations)
  await addConstraints(reading, relations)
  await addTriggers(reading, relations)
  await addOwners(reading, relations)
  return relations
}

/** Of relations of every schema but Postgres' own. */
const ofOthers = (relation: string) => `join pg_class as c on c.oid = ${relation}
  join pg_namespace as n on n.oid = c.relnamespace and not ${isOfPostgres('nspname')}`

async function addColumns(
  { ask, readAcl }: Reading,
  relations: ReadonlyMap<number, Relation>,
): Promise<void> {
  type Row = Omit<Column, 'acl'> & { relation: number; acl: string[] | null }
  const rows = await ask<Row>(`
    select attrelid as relation, attnum as number, attname as name, quote_ident(attname) as sql, atttypid as type,
      attnotnull as "notNull", attgenerated <> '' as "isGenerated", attidentity as identity, atthasdef as "hasDefault",
      attacl::text[] as acl, description as comment
    from pg_attribute ${ofOthers('attrelid')} and relkind in ('r', 'p', 'v', 'm', 'f')
    left join pg_description on classoid = 'pg_class'::regclass and objoid = attrelid and objsubid = attnum
    where attnum > 0 and not attisdropped
    order by attrelid, attnum`)
  for (const { relation, acl, ...column } of rows)
    relations.get(relation)?.columns.push({ ...column, acl: readAcl(acl) })
}

async function addIndexes(
  { ask }: Reading,
  relations: ReadonlyMap<number, Relation>,
): Promise<void> {
  const rows = await ask<Omit<Index, 'keys' | 'condition'> & KeyRow & { relation: number }>(`
    select indrelid as relation, ${keyColumns}, i.oid, i.relname as name, format('%I.%I', nspname, i.relname) as sql, amname as method,
      indisunique as "isUnique", indisprimary as "isPrimary", indisvalid as "isValid",
      (indkey::int2[])[0:indnkeyatts - 1] as columns, (indkey::int2[])[indnkeyatts:] as included,
      case when indexprs is null then '{}' else array(
        select pg_get_indexdef(i.oid, place, false) from generate_series(1, indnkeyatts::int) as place where indkey[place - 1] = 0
      ) end as expressions,
      pg_get_expr(indpred, indrelid) as predicate, pg_stat_get_numscans(i.oid)::int8::float8 as scans,
      i.relpages::float8 * 8192 as bytes
    from pg_index join pg_class as i on i.oid = indexrelid join pg_am on pg_am.oid = i.relam
    ${ofOthers('indrelid')} ${constraintsByIndex}
    order by indrelid, i.relname collate "C"`)
  for (const { relation, keyed, ...index } of rows)
    relations.get(relation)?.indexes.push({ ...index, ...keysOf(index.columns, keyed) })
}

async function addConstraints(
  { ask }: Reading,
  relations: ReadonlyMap<number, Relation>,
): Promise<void> {
  type Row = Omit<Constraint, 'refers'> & {
    relation: number
    other: number
    otherColumns: number[] | null
    onDelete: string
    onUpdate: string
  }
  // That a column is not null, the column says.
  const rows = await ask<Row>(`
    select conrelid as relation, k.oid, conname as name, quote_ident(conname) as sql, contype as type,
      coalesce(conkey, '{}') as columns, confrelid as other, confkey as "otherColumns", confdeltype as "onDelete",
      confupdtype as "onUpdate", conparentid <> 0 as "isOfParent", pg_get_constraintdef(k.oid) as definition, description as comment
    from pg_constraint as k ${ofOthers('conrelid')}
    left join pg_description on classoid = 'pg_constraint'::regclass and objoid = k.oid
    where contype in ('c', 'f', 'p', 'u', 'x', 't')
    order by conrelid, conname collate "C"`)
  for (const { relation, other, otherColumns, onDelete, onUpdate, ...constraint } of rows)
    relations.get(relation)?.constraints.push({
      ...constraint,
      refers:
        other === 0 ? null : { relation: other, columns: otherColumns ?? [], onDelete, onUpdate },
    })
}

async function addTriggers(
  { ask }: Reading,
  relations: ReadonlyMap<number, Relation>,
): Promise<void> {
  const rows = await ask<Trigger & { relation: number }>(`
    select tgrelid as relation, t.oid, tgname as name, quote_ident(tgname) as sql, tgfoid as function, tgtype as type,
      tgenabled <> 'D' as "isEnabled"
    from pg_trigger as t ${ofOthers('tgrelid')}
    where not tgisinternal
    order by tgrelid, tgname collate "C"`)
  for (const { relation, ...trigger } of rows) relations.get(relation)?.triggers.push(trigger)
}

/** Which column a sequence is for. */
async function addOwners(
  { ask }: Reading,
  relations: ReadonlyMap<number, Relation>,
): Promise<void> {
  const rows = await ask<{
    sequence: number
    relation: number
    column: number
    isIdentity: boolean
  }>(`
    select objid as sequence, refobjid as relation, refobjsubid as column, deptype = 'i' as "isIdentity"
    from pg_depend join pg_class on pg_class.oid = objid and relkind = 'S'
    where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass and refobjsubid > 0 and deptype in ('a', 'i')`)
  for (const { sequence, ...ownedBy } of rows) {
    const relation = relations.get(sequence)
    if (relation !== undefined) relation.ownedBy = ownedBy
  }
}
