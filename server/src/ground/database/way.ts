import type pg from 'pg'
import type { Statement } from './pipeline.ts'

/** How a connection reaches Postgres: itself, or through a pooler. See docs/decisions/0016. */
export type Way = 'direct' | 'pooled'

type Client = pg.Client | pg.PoolClient

const ways = new WeakMap<object, Way>()

export const noteWay = (client: Client, way: Way): void => void ways.set(client, way)

export const isPooled = (client: Client): boolean => ways.get(client) === 'pooled'

/**
 * Asks, once for each connection. A pooler names a process of its own when it greets a client, because a
 * request to cancel has to come to it; Postgres names the one that answers.
 */
export async function wayOf(client: Client): Promise<Way> {
  const known = ways.get(client)
  if (known !== undefined) return known
  const { processID } = client as unknown as { processID: number }
  const way = (await readProcess(client)) === processID ? 'direct' : 'pooled'
  noteWay(client, way)
  return way
}

/** The process of the server that answers. */
export async function readProcess(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_catalog.pg_backend_pid() as pid')
  return rows[0]?.pid ?? 0
}

/** What goes before every proof: nothing that an earlier request has left is still there. */
export const clearing = (way: Way): readonly Statement[] => (way === 'pooled' ? putAway : reset)

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
