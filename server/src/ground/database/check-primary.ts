import pg from 'pg'
import { stateOf } from './connection-state.ts'
import type { Lineage } from './lineage.ts'
import { cutOff, WAIT_FOR_CONNECTION_MS } from './lost-connection.ts'
import { pinnedSettings, type RunsSql } from './pinned-settings.ts'

/** The server answers, and is not the one that decides. */
export class NotPrimary extends Error {
  constructor(host: string, why: string) {
    super(`${host} is not the primary: ${why}`)
  }
}

interface Found {
  is_standby: boolean
  is_read_only: boolean
  system_identifier: string | null
  timeline: number | null
  unpinned: string[] | null
}

/**
 * Looks at a new connection before anything is asked on it: whether this is the primary, whether it takes changes,
 * and whether its settings are those that it was asked for, which a pooler may have dropped.
 *
 * @param mustWrite whether a primary that takes no changes (default_transaction_read_only) is none
 * @throws NotPrimary; OldPrimary when this process has seen a newer one
 */
export async function checkPrimary(
  client: pg.ClientBase,
  {
    host,
    runs,
    mustWrite,
    lineage,
  }: { host: string; runs: RunsSql; mustWrite: boolean; lineage: Lineage | null },
): Promise<void> {
  const pinned = Object.entries(pinnedSettings(runs))
  const found = await withinTime(client, () => look(client, pinned))
  if (found.is_standby) throw new NotPrimary(host, 'it is a standby')
  if (mustWrite && found.is_read_only)
    throw new NotPrimary(host, 'it takes no changes (default_transaction_read_only)')
  const { system_identifier: systemIdentifier, timeline } = found
  // The name first: whoever leaves an older primary looks for it.
  if (lineage !== null && systemIdentifier !== null && timeline !== null) {
    stateOf(client).primary = `${systemIdentifier}/${timeline}`
    lineage.see({ systemIdentifier, timeline })
  }
  const { unpinned } = found
  if (unpinned !== null) await withinTime(client, () => pin(client, pinned, unpinned))
}

/** A pool has stopped its clock by then. */
async function withinTime<T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  const giveUp = setTimeout(() => cutOff(client), WAIT_FOR_CONNECTION_MS)
  try {
    return await work()
  } finally {
    clearTimeout(giveUp)
  }
}

async function look(client: pg.ClientBase, pinned: readonly [string, string][]): Promise<Found> {
  const [names, values] = [pinned.map(([name]) => name), pinned.map(([, value]) => value)]
  try {
    return await ask(client, `${standing}, ${origin}, ${unpinned}`, [names, values])
  } catch (error) {
    // Some who offer Postgres have no WAL of its kind, or do not show it.
    if (!(error instanceof pg.DatabaseError) || error.severity === 'FATAL') throw error
    return await ask(
      client,
      `${standing}, null as system_identifier, null as timeline, ${unpinned}`,
      [names, values],
    )
  }
}

async function ask(client: pg.ClientBase, columns: string, values: unknown[]): Promise<Found> {
  const { rows } = await client.query<Found>(`select ${columns}`, values)
  return rows[0] as Found
}

const standing = `
  pg_catalog.pg_is_in_recovery() as is_standby,
  pg_catalog.current_setting('default_transaction_read_only')::pg_catalog.bool as is_read_only`

/** The timeline that is being written, which the control file names only after the next checkpoint. */
const origin = `
  case when not pg_catalog.pg_is_in_recovery() then
    (select system_identifier::pg_catalog.text from pg_catalog.pg_control_system())
  end as system_identifier,
  case when not pg_catalog.pg_is_in_recovery() then
    ('x' || pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))::bit(32)::pg_catalog.int4
  end as timeline`

const unpinned = `
  (select pg_catalog.array_agg(pinned.name)
   from rows from (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) as pinned (name, value)
   where pg_catalog.current_setting(pinned.name, true) is distinct from pinned.value) as unpinned`

/** As good as it gets without the startup packet: a `reset all` takes it back. */
async function pin(
  client: pg.ClientBase,
  pinned: readonly [string, string][],
  names: readonly string[],
): Promise<void> {
  const [given, values] = [[...names], names.map((name) => new Map(pinned).get(name))]
  await client.query(
    `select pg_catalog.set_config(name, value, false)
     from rows from (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) as pinned (name, value)`,
    [given, values],
  )
}
