import pg from 'pg'
import { attempt } from '../database/attempt.ts'
import { AdvisorError } from '../errors.ts'
import type { RelationKind } from './explanation.ts'
import { whatElseItIs } from './what-else-it-is.ts'

export interface Column {
  name: string
  /** The name, quoted where it has to be. */
  quoted: string
  /** With its modifier: `numeric(10,2)`. */
  type: string
  is_key: boolean
  /** Of a type that is a row itself. */
  is_composite: boolean
  /** What the key's index compares by: `operator(pg_catalog.=)`. */
  equals: string
  /** Null without one; also where it takes a number from a sequence, which no rollback gives back. */
  default_expression: string | null
  takes_number: boolean
  /** What a generated column is computed from the others by. */
  generation_expression: string | null
  is_identity: boolean
  /** False of a column of a view that is computed. */
  is_updatable: boolean
}

export interface Table {
  oid: number
  /** `schema.table`, quoted where it has to be. */
  name: string
  schema: string
  relation: string
  kind: RelationKind
  owner: string
  row_security: boolean
  /** Whether row-level security may hide rows from whoever runs this command, too. */
  binds_owner: boolean
  /** Of a partition, or a table that inherits. */
  parents: string[]
  has_children: boolean
  /** `create rule`, by what it rewrites. */
  rules: { name: string; event: string; is_instead: boolean }[]
  /** The actions that a trigger runs before, for each row: it may change the row, or leave it out. */
  changed_by_trigger: string[]
  /** Of a view: what it reads, and as whom. */
  reads: string[]
  is_security_invoker: boolean
  columns: Column[]
}

const kinds: Record<string, RelationKind> = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
}

/** @throws AdvisorError when there is no such table */
export async function findTable(owner: pg.ClientBase, given: string): Promise<Table> {
  const { error: cause, found: oid } = await attempt(owner, async () => {
    const text = 'select pg_catalog.to_regclass($1)::pg_catalog.oid as oid'
    return (await owner.query<{ oid: number | null }>(text, [given])).rows[0]?.oid
  })
  if (cause !== null)
    throw new AdvisorError(`${given} is not the name of a table: ${cause.message}.`, { cause })
  const { rows } = await owner.query<Omit<Table, 'kind'> & { relkind: string }>(readTable, [oid])
  const [table] = rows
  if (table === undefined)
    throw new AdvisorError(
      `There is no table ${given}.${await whatElseItIs(owner, given)} Name it with its schema, and quote what is not lower case: --table 'app."Notes"'.`,
    )
  const { relkind, ...found } = table
  const kind = kinds[relkind]
  if (kind === undefined)
    throw new AdvisorError(
      `${table.name} is ${others[relkind] ?? 'no table'}: explain is about tables and views.`,
    )
  return { ...found, kind }
}

const others: Record<string, string> = {
  S: 'a sequence',
  i: 'an index',
  I: 'an index',
  c: 'a composite type',
  t: 'a TOAST table',
}

const readTable = `
  select pg_class.oid, format('%I.%I', nspname, relname) as name, nspname as schema, relname as relation, relkind,
    pg_get_userbyid(relowner) as owner, relrowsecurity as row_security, 
    row_security_active(pg_class.oid) and not coalesce((
      select bool_or(polpermissive and pg_get_expr(polqual, polrelid) = 'true') and bool_and(polpermissive)
      from pg_policy
      where polrelid = pg_class.oid and polcmd in ('*', 'r') and exists (
        select from unnest(polroles) as role (oid) where role.oid = 0 or pg_has_role(role.oid, 'usage')
      )
    ), false) as binds_owner,
    array(
      select inhparent::regclass::text from pg_inherits where inhrelid = pg_class.oid order by inhseqno
    ) as parents,
    exists (select from pg_inherits where inhparent = pg_class.oid) as has_children,
    (
      select coalesce(jsonb_agg(jsonb_build_object(
        'name', rulename, 'is_instead', is_instead,
        'event', case ev_type when '2' then 'update' when '3' then 'insert' when '4' then 'delete' end
      ) order by rulename), '[]')
      from pg_rewrite where ev_class = pg_class.oid and ev_type <> '1' and ev_enabled in ('O', 'A')
    ) as rules,
    array(
      select event from (values ('insert', 4), ('delete', 8), ('update', 16)) as event (event, bit)
      where exists (
        select from pg_trigger
        where tgrelid = pg_class.oid and not tgisinternal and tgenabled in ('O', 'A')
          and (tgtype & 1) = 1 and (tgtype & 2) = 2 and (tgtype & bit) = bit
      )
    ) as changed_by_trigger,
    array(
      select distinct refobjid::regclass::text
      from pg_rewrite join pg_depend on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid
        and refclassid = 'pg_class'::regclass and refobjid <> pg_class.oid
      where ev_class = pg_class.oid and ev_type = '1' and relkind = 'v'
    ) as reads,
    coalesce((
      select lower(option_value) in ('true', 'on', 'yes', '1')
      from pg_options_to_table(reloptions) where option_name = 'security_invoker'
    ), false) as is_security_invoker,
    (
      select coalesce(jsonb_agg(jsonb_build_object(
        'name', attname, 'quoted', quote_ident(attname), 'type', format_type(atttypid, atttypmod),
        'is_composite', exists (select from pg_type where pg_type.oid = atttypid and typtype = 'c'),
        'is_key', coalesce(attnum = any (indkey), false),
        'equals', coalesce((
          select format('operator(%I.%s)', nspname, oprname)
          from pg_opclass
          join pg_amop on amopfamily = opcfamily and amopstrategy = 3 and amoplefttype = opcintype and amoprighttype = opcintype
          join pg_operator on pg_operator.oid = amopopr join pg_namespace on pg_namespace.oid = oprnamespace
          where pg_opclass.oid = indclass[array_position(indkey::int2[], attnum)]
        ), 'operator(pg_catalog.=)'),
        'generation_expression', case when attgenerated <> '' then pg_get_expr(adbin, adrelid) end, 'is_identity', attidentity <> '',
        'is_updatable', relkind <> 'v' or pg_column_is_updatable(pg_class.oid, attnum, true),
        'takes_number', attidentity <> '' or coalesce(pg_get_expr(adbin, adrelid) ~ 'nextval\\(', false),
        'default_expression', case when attgenerated = '' and pg_get_expr(adbin, adrelid) !~ 'nextval\\(' then pg_get_expr(adbin, adrelid) end
      ) order by attnum), '[]')
      from pg_attribute
      left join pg_attrdef on adrelid = attrelid and adnum = attnum
      left join pg_index on indrelid = attrelid and indisprimary
      where attrelid = pg_class.oid and attnum > 0 and not attisdropped
    ) as columns
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where pg_class.oid = $1`

export const quoted = (names: readonly string[]): string =>
  names.map((name) => pg.escapeIdentifier(name)).join(', ')
