import type pg from 'pg'

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
