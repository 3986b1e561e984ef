import type pg from 'pg'
import { pinnedSettings, type RunsSql } from './pinned-settings.ts'

/** Sets, for as long as the connection is there, what is not set as it has to be. Takes `namesAndValues`. */
export const pinning = `
  select pg_catalog.count(pg_catalog.set_config(pinned.name, pinned.value, false)) as pinned
  from rows from (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])) as pinned (name, value)
  where pg_catalog.current_setting(pinned.name, true) is distinct from pinned.value`

export function namesAndValues(runs: RunsSql): [names: string[], values: string[]] {
  const settings = Object.entries(pinnedSettings(runs))
  return [settings.map(([name]) => name), settings.map(([, value]) => value)]
}

/** As a new connection is looked at; again where a `reset all` has gone back to what the database or the role has. */
export async function pinSettings(
  client: Pick<pg.ClientBase, 'query'>,
  runs: RunsSql = 'any',
): Promise<void> {
  await client.query(pinning, namesAndValues(runs))
}
