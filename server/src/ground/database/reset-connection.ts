import type { PoolMode } from './connection-state.ts'
import type { Statement } from './pipeline.ts'

/** What goes before every proof: nothing that an earlier request has left is still there. */
export const resetStatements = (poolMode: PoolMode): readonly Statement[] =>
  poolMode === 'transaction' ? putAway : reset

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
const putAway: readonly Statement[] = [
  'reset role',
  'reset all',
  'close all',
  'unlisten *',
  'deallocate all',
  `select pg_catalog.pg_advisory_unlock_all(), pg_catalog.set_config('client_encoding', 'UTF8', false),
     pg_catalog.set_config('application_name', 'pie', false)`,
].map((text) => ({ name: '', text, values: [] }))
