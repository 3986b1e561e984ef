import type pg from 'pg'
import { attempt } from '../database/attempt.ts'
import type { Table } from './find-table.ts'

/** How many rows are there, as whoever runs this command sees them, up to one more than the most. Null where it cannot see them all. */
export async function countRows(
  client: pg.ClientBase,
  { name, binds_owner }: Table,
  most: number,
  role: string,
): Promise<number | null> {
  if (binds_owner) return null
  return asOwner(client, role, async () => {
    const { found } = await attempt(client, () =>
      client.query<{ rows: number }>(
        `select count(*)::int as rows from (select from ${name} limit ${most + 1}) as there`,
      ),
    )
    return found?.rows[0]?.rows ?? null
  })
}

/** Works as the role that connects, and is the other role again afterwards. */
export async function asOwner<T>(
  client: pg.ClientBase,
  role: string,
  work: () => Promise<T>,
): Promise<T> {
  await client.query('set local role none')
  const found = await work()
  await client.query(`select pg_catalog.set_config('role', $1, true)`, [role])
  return found
}
