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
  if (kind === 'view')
    return {
      kind: 'view',
      reads: table.reads,
      reads_as: table.is_security_invoker ? role : table.owner,
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
