import type pg from 'pg'
import { pinnedSettings, type Settings } from './pinned-settings.ts'

/** Sets, for as long as the connection is there, what is not set as it has to be. Takes `namesAndValues`. */
export const pinning = `
  select pg_catalog.count(pg_catalog.set_config(pinned.name, pinned.value, false)) as pinned
  from rows from (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) as pinned (name, value)
  where pg_catalog.current_setting(pinned.name, true) is distinct from pinned.value`

/** Libraries are loaded as a connection begins, and not by what is set later. */
export function namesAndValues(settings: Settings): [names: string[], values: string[]] {
  const entries = Object.entries(settings).filter(([name]) => name !== 'local_preload_libraries')
  return [entries.map(([name]) => name), entries.map(([, value]) => value)]
}

/** As a new connection of the owner's is looked at; again where a `reset all` has gone back to what the database or the role has. */
export async function pinOwnersSettings(client: Pick<pg.ClientBase, 'query'>): Promise<void> {
  await client.query(pinning, namesAndValues(pinnedSettings('owners')))
}
