import type pg from 'pg'
import type { Decision } from './explanation.ts'
import type { Table } from './find-table.ts'

/** Why no policy of this relation is asked; null where they are. */
export async function reasonToPass(
  client: pg.ClientBase,
  table: Table,
  role: string,
): Promise<Decision | null> {
  const { name, kind } = table
  if (kind === 'view') {
    const reads_as = table.is_security_invoker ? role : table.owner
    return {
      kind: 'view',
      reads: table.reads,
      reads_as,
      binds: await binds(client, table, reads_as),
    }
  }
  if (kind === 'materialized view')
    return passing(
      `${name} is a materialized view, WHICH HAS NO POLICIES and keeps what its owner saw`,
    )
  if (kind === 'foreign table')
    return passing(`${name} is a foreign table, WHICH HAS NO POLICIES here`)
  const { rows } = await client.query<{ is_active: boolean }>(
    'select row_security_active($1::oid) as is_active',
    [table.oid],
  )
  if (rows[0]?.is_active === true) return null
  return passing(
    table.row_security
      ? `${role} IS PAST ROW-LEVEL SECURITY on ${name}`
      : `ROW-LEVEL SECURITY IS OFF on ${name}`,
  )
}

const passing = (reason: string): Decision => ({ kind: 'row_security_off', reason })

/** Whether policies of what a view reads may bind whom it reads as: those of another view within it may, too. */
async function binds(client: pg.ClientBase, { oid }: Table, role: string): Promise<boolean> {
  const { rows } = await client.query<{ binds: boolean }>(
    `select coalesce(bool_or(
       c.relkind = 'v' or c.relrowsecurity and not (r.rolsuper or r.rolbypassrls)
         and (c.relforcerowsecurity or not pg_has_role(r.oid, c.relowner, 'usage'))
     ), false) as binds
     from pg_rewrite join pg_depend on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid
       and refclassid = 'pg_class'::regclass and refobjid <> $1::oid
     join pg_class as c on c.oid = refobjid join pg_roles as r on r.rolname = $2
     where ev_class = $1::oid and ev_type = '1'`,
    [oid, role],
  )
  return rows[0]?.binds ?? true
}
