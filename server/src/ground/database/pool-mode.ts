import type pg from 'pg'
import { type PoolMode, stateOf } from './connection-state.ts'

/**
 * Asks, once for each connection, whether a pooler in transaction mode stands before Postgres. A pooler names a
 * process of its own when it greets a client, because a request to cancel has to come to it; Postgres names
 * the one that answers. See docs/decisions/0016.
 */
export async function readPoolMode(client: pg.ClientBase): Promise<PoolMode> {
  const state = stateOf(client)
  const { processID } = client as unknown as { processID: number }
  if (state.poolMode === null) {
    const { pid, backend } = await askWho(client)
    state.poolMode = pid === processID ? 'session' : 'transaction'
    state.backend ??= backend
  }
  return state.poolMode
}

/** The process of the server that answers. */
export async function readProcess(client: pg.ClientBase): Promise<number> {
  return (await askWho(client)).pid
}

/** What names the process that answers, as `ConnectionState` has it, for as long as the server is there. */
export const backendName = `
  (select pg_catalog.concat(pid, ' ', extract(epoch from backend_start))
   from pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()))`

async function askWho(client: pg.ClientBase): Promise<{ pid: number; backend: string }> {
  const { rows } = await client.query<{ pid: number; backend: string }>(
    `select pg_catalog.pg_backend_pid() as pid, ${backendName} as backend`,
  )
  return rows[0] ?? { pid: 0, backend: '' }
}
