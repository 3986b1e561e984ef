import pg from 'pg'
import { attempt } from '../database/attempt.ts'
import { AdvisorError } from '../errors.ts'

export interface Column {
  name: string
  /** The name, quoted where it has to be. */
  quoted: string
  /** With its modifier: `numeric(10,2)`. */
  type: string
  is_key: boolean
  /** Null without one; also where it takes a number from a sequence, which no rollback gives back. */
  default_expression: string | null
  /** What a generated column is computed from the others by. */
  generation_expression: string | null
  is_identity: boolean
}

export interface Table {
  oid: number
  /** `schema.table`, quoted where it has to be. */
  name: string
  schema: string
  relation: string
  owner: string
  row_security: boolean
  /** Whether row-level security may hide rows from whoever runs this command, too. */
  binds_owner: boolean
  columns: Column[]
}

/** @throws AdvisorError when there is no such table, or it is a view */
export async function findTable(owner: pg.ClientBase, given: string): Promise<Table> {
  const { error: cause, found: oid } = await attempt(owner, async () => {
    const text = 'select pg_catalog.to_regclass($1)::pg_catalog.oid as oid'
    return (await owner.query<{ oid: number | null }>(text, [given])).rows[0]?.oid
  })
  if (cause !== null)
    throw new AdvisorError(`${given} is not the name of a table: ${cause.message}.`, { cause })
  const { rows } = await owner.query<Table & { kind: string }>(readTable, [oid])
  const [table] = rows
  if (table === undefined)
    throw new AdvisorError(
      `There is no table ${given}. Name it with its schema, and quote what is not lower case: --table 'app."Notes"'.`,
    )
  const { kind, ...found } = table
  if (kind !== 'r' && kind !== 'p')
    throw new AdvisorError(
      `${table.name} is no table, and only tables have policies. The exposure of schema ${table.schema} says which tables a view reads: explain one of those.`,
    )
  return found
}

const readTable = `
  select pg_class.oid, format('%I.%I', nspname, relname) as name, nspname as schema, relname as relation, relkind as kind,
    pg_get_userbyid(relowner) as owner, relrowsecurity as row_security, 
    row_security_active(pg_class.oid) and not coalesce((
      select bool_or(polpermissive and pg_get_expr(polqual, polrelid) = 'true') and bool_and(polpermissive)
      from pg_policy
      where polrelid = pg_class.oid and polcmd in ('*', 'r') and exists (
        select from unnest(polroles) as role (oid) where role.oid = 0 or pg_has_role(role.oid, 'usage')
      )
    ), false) as binds_owner,
    (
      select coalesce(jsonb_agg(jsonb_build_object(
        'name', attname, 'quoted', quote_ident(attname), 'type', format_type(atttypid, atttypmod),
        'is_key', coalesce(attnum = any (indkey), false),
        'generation_expression', case when attgenerated <> '' then pg_get_expr(adbin, adrelid) end, 'is_identity', attidentity <> '',
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
