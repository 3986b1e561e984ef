import pg from 'pg'
import { stateOf } from './connection-state.ts'
import type { Lineage } from './lineage.ts'
import { cutOff, WAIT_FOR_CONNECTION_MS } from './lost-connection.ts'
import { namesAndValues, pinning } from './pin-settings.ts'
import type { Settings } from './pinned-settings.ts'
import { backendName } from './pool-mode.ts'

/** The server answers, and is not the one that decides. */
export class NotPrimary extends Error {
  constructor(host: string, why: string) {
    super(`${host} is not the primary: ${why}`)
  }
}

/** Its timeouts are so short that nothing comes to its end. */
export class HeldUp extends Error {
  constructor() {
    super('the role has been given timeouts that let nothing come to its end')
  }
}

/** The role itself has default_transaction_read_only, which it may set for itself: nobody has taken the server out of service. */
export class ReadOnlyRole extends Error {
  constructor() {
    super('the role has the setting default_transaction_read_only')
  }
}

interface Found {
  is_standby: boolean
  is_read_only: boolean
  is_read_only_by_role: boolean
  is_held_up: boolean
  system_identifier: string | null
  timeline: number | null
  backend: string
}

/**
 * Looks at a new connection before anything is asked on it: whether this is the primary, and whether it takes changes.
 * What is not set as it has to be is set, in the same round trip.
 *
 * @param mustWrite whether a primary that takes no changes (default_transaction_read_only) is none
 * @throws NotPrimary; OldPrimary when this process has seen a newer one
 */
export async function checkPrimary(
  client: pg.ClientBase,
  {
    settings,
    mustWrite,
    isHelped,
    lineage,
  }: { settings: Settings; mustWrite: boolean; isHelped: boolean; lineage: Lineage | null },
): Promise<void> {
  // Of this connection: others may be trying the next host by now.
  const host = hostOf(client)
  stateOf(client).settings = settings
  const found = await look(client, settings)
  stateOf(client).backend = found.backend
  if (found.is_standby) throw new NotPrimary(host, 'it is a standby')
  if (found.is_held_up && !isHelped) throw new HeldUp()
  if (mustWrite && found.is_read_only && found.is_read_only_by_role) throw new ReadOnlyRole()
  if (mustWrite && found.is_read_only)
    throw new NotPrimary(host, 'it takes no changes (default_transaction_read_only)')
  const { system_identifier: systemIdentifier, timeline } = found
  if (lineage === null || systemIdentifier === null || timeline === null) return
  // The name first: whoever leaves an older primary looks for it.
  stateOf(client).primary = `${systemIdentifier}/${timeline}`
  lineage.see({ systemIdentifier, timeline }, host)
}

const hostOf = (client: pg.ClientBase): string => {
  const { host, port } = client as pg.Client
  return `${host}:${port}`
}

async function look(client: pg.ClientBase, settings: Settings): Promise<Found> {
  try {
    return await ask(client, `${standing}, ${origin}, (${pinning})`, settings)
  } catch (error) {
    // Some who offer Postgres have no WAL of its kind, or do not show it.
    if (!(error instanceof pg.DatabaseError) || error.severity === 'FATAL') throw error
    return await ask(
      client,
      `${standing}, null as system_identifier, null as timeline, (${pinning})`,
      settings,
    )
  }
}

async function ask(client: pg.ClientBase, columns: string, settings: Settings): Promise<Found> {
  // A pool has stopped its clock by then.
  const giveUp = setTimeout(() => cutOff(client), WAIT_FOR_CONNECTION_MS)
  try {
    const { rows } = await client.query<Found>(`select ${columns}`, namesAndValues(settings))
    return rows[0] as Found
  } finally {
    clearTimeout(giveUp)
  }
}

/** Less than what the shortest of what Pie does may take on a busy server; in milliseconds. */
const shortest = {
  statement_timeout: 100,
  lock_timeout: 100,
  transaction_timeout: 100,
  idle_in_transaction_session_timeout: 1_000,
  idle_session_timeout: 10_000,
}

const isHeldUp = Object.entries(shortest)
  .map(
    ([name, ms]) =>
      `coalesce(extract(epoch from pg_catalog.current_setting('${name}', true)::pg_catalog.interval) * 1000 between 0.5 and ${ms - 1}, false)`,
  )
  .join(' or ')

const standing = `
  ${backendName} as backend,
  pg_catalog.pg_is_in_recovery() as is_standby,
  pg_catalog.current_setting('default_transaction_read_only')::pg_catalog.bool as is_read_only,
  case when pg_catalog.current_setting('default_transaction_read_only')::pg_catalog.bool then
    (select source in ('user', 'database user') from pg_catalog.pg_settings where name = 'default_transaction_read_only')
  end as is_read_only_by_role,
  ${isHeldUp} as is_held_up`

/** The timeline that is being written, which the control file names only after the next checkpoint. */
const origin = `
  case when not pg_catalog.pg_is_in_recovery() then
    (select system_identifier::pg_catalog.text from pg_catalog.pg_control_system())
  end as system_identifier,
  case when not pg_catalog.pg_is_in_recovery() then
    ('x' || pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))::bit(32)::pg_catalog.int4
  end as timeline`
