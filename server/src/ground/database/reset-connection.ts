import type pg from 'pg'
import { stateOf } from './connection-state.ts'
import { pinnedSettings, pinningCalls, type Settings } from './pinned-settings.ts'
import type { Statement } from './pipeline.ts'

/**
 * What goes before every proof on a connection of one's own: nothing that an earlier request has left is still there.
 * Named, because whatever stands in their place runs as cream before anybody is proven, and is found then.
 */
export const resetStatements: readonly Statement[] = [
  { name: 'reset_role', text: 'reset role', values: [] },
  { name: 'reset_settings', text: 'reset all', values: [] },
]

/**
 * The same through a pooler in transaction mode: what `discard all` does, which runs in no transaction, but for what is
 * temporary: a temporary schema stays, and `authenticate` refuses it. `reset all` also takes away what the pooler has set for
 * this client, so that is set again. At last whether the server behind it is still of the timeline that was there when
 * this client connected: the pooler may lead to another one with each transaction.
 */
export function putAwayStatements(client: pg.ClientBase): readonly Statement[] {
  const { settings, primary } = stateOf(client)
  const putAway = putAwayFor(settings ?? applications)
  if (primary === null) return putAway
  return [...putAway, unnamed(`select pie_private.check_primary(${Number(primary.split('/')[1])})`)]
}

const applications = pinnedSettings('any')

const known = new WeakMap<Settings, readonly Statement[]>()

function putAwayFor(settings: Settings): readonly Statement[] {
  const made = known.get(settings)
  if (made !== undefined) return made
  const statements = [
    // Before anything is looked at, which is when it has to be said; `set transaction` wants a block.
    "set transaction_isolation = 'read committed'",
    'reset role',
    'reset all',
    'close all',
    'unlisten *',
    'deallocate all',
    `select pg_catalog.pg_advisory_unlock_all(), pg_catalog.set_config('client_encoding', 'UTF8', false),
       pg_catalog.set_config('application_name', 'pie', false), ${pinningCalls(settings)}`,
  ].map(unnamed)
  known.set(settings, statements)
  return statements
}

function unnamed(text: string): Statement {
  return { name: '', text, values: [] }
}
