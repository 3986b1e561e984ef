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
  state.poolMode ??= (await readProcess(client)) === processID ? 'session' : 'transaction'
  return state.poolMode
}

/** The process of the server that answers. */
export async function readProcess(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_catalog.pg_backend_pid() as pid')
  return rows[0]?.pid ?? 0
}
