import type { PoolMode } from './connection-state.ts'
import { pinningCalls, type RunsSql } from './pinned-settings.ts'
import type { Statement } from './pipeline.ts'

/** What goes before every proof: nothing that an earlier request has left is still there. */
export const resetStatements = (poolMode: PoolMode, runs: RunsSql = 'any'): readonly Statement[] =>
  poolMode === 'transaction' ? putAway[runs] : reset

/** Named, because whatever stands in their place runs as cream before anybody is proven, and is found then. */
const reset: readonly Statement[] = [
  { name: 'reset_role', text: 'reset role', values: [] },
  { name: 'reset_settings', text: 'reset all', values: [] },
]

/**
 * What `discard all` does, which runs in no transaction, but for what is temporary: a temporary schema
 * stays, and `authenticate` refuses it. `reset all` also takes away what the pooler has set for this
 * client, so that is set again.
 */
const putAwayFor = (runs: RunsSql): readonly Statement[] =>
  [
    // Before anything is looked at, which is when it has to be said; `set transaction` wants a block.
    "set transaction_isolation = 'read committed'",
    'reset role',
    'reset all',
    'close all',
    'unlisten *',
    'deallocate all',
    `select pg_catalog.pg_advisory_unlock_all(), pg_catalog.set_config('client_encoding', 'UTF8', false),
       pg_catalog.set_config('application_name', 'pie', false), ${pinningCalls(runs)}`,
  ].map((text) => ({ name: '', text, values: [] }))

const putAway = { own: putAwayFor('own'), any: putAwayFor('any') }
