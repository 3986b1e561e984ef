import { clientAt } from '../database/client-at.ts'
import type { Cluster } from './create-cluster.ts'

/** Makes the tablespace pie_tablespace and, in it, the database pie_db, unless they are there. */
export async function createPieDatabase(cluster: Cluster, port: number): Promise<void> {
  const client = clientAt(cluster.urlOf('postgres', port))
  await client.connect()
  try {
    const { rows } = await client.query<{ tablespace: boolean; database: boolean }>(
      `select exists (select from pg_tablespace where spcname = 'pie_tablespace') as tablespace,
              exists (select from pg_database where datname = 'pie_db') as database`,
    )
    if (rows[0]?.tablespace !== true)
      await client.query(`create tablespace pie_tablespace location ''`)
    if (rows[0]?.database !== true)
      await client.query('create database pie_db tablespace pie_tablespace')
  } finally {
    await client.end()
  }
}
