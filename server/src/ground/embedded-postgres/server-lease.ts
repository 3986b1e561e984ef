import { dirname } from 'node:path'
import { clientAt } from '../database/client-at.ts'
import { OperatorError } from '../errors.ts'
import type { Cluster } from './create-cluster.ts'

/** Which kind of Pie holds the embedded Postgres. */
export interface LeaseHolder {
  kind: 'server' | 'command'
}

/** The advisory lock that a Pie holds while it keeps the embedded Postgres: "pie", as a number. */
const LEASE_LOCK = 0x706965

/**
 * Holds the server until released, or until this process ends in whatever way: the lock belongs to a
 * connection, and goes with it. That is how the next Pie knows a server that is used from one that a
 * killed Pie has left behind.
 */
export async function acquireServerLease(
  cluster: Cluster,
  port: number,
  holder: LeaseHolder,
): Promise<{ release(): Promise<void> }> {
  const client = clientAt(cluster.urlOf('postgres', port), {
    application_name: `pie ${holder.kind} ${process.pid}`,
  })
  // When Postgres ends, `ended` of the server tells.
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query<{ held: boolean }>(
    'select pg_try_advisory_lock($1) as held',
    [LEASE_LOCK],
  )
  if (rows[0]?.held !== true) {
    await client.end()
    throw new OperatorError(`Another Pie has just started on ${dirname(cluster.directory)}.`)
  }
  return { release: () => client.end() }
}

/** Who holds the server on this port, or null when nobody does or it does not answer. */
export async function findLeaseHolder(
  cluster: Cluster,
  port: number,
): Promise<(LeaseHolder & { pid: number }) | null> {
  const client = clientAt(cluster.urlOf('postgres', port), {
    connectionTimeoutMillis: 1_000,
    application_name: 'pie',
  })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ application_name: string }>(
      `select application_name from pg_stat_activity where pid in
         (select pid from pg_locks where locktype = 'advisory' and classid = 0 and objid = $1 and granted)`,
      [LEASE_LOCK],
    )
    const [, kind, pid] = rows[0]?.application_name.split(' ') ?? []
    if (kind !== 'server' && kind !== 'command') return null
    return { kind, pid: Number(pid) }
  } catch {
    return null
  } finally {
    await client.end().catch(() => {})
  }
}
