import type { Duplex } from 'node:stream'
import pg from 'pg'
import type { Secret } from '../crypto/secret.ts'
import type { Log } from '../log.ts'
import { cutOff, toRefusal, WAIT_FOR_ANSWER_MS, WAIT_FOR_CONNECTION_MS } from './lost-connection.ts'
import type { Statement } from './pipeline.ts'
import type { Row } from './pool.ts'

/**
 * A few connections that many requests share at once: each sends its statement without waiting for the
 * answers to those before it.
 *
 * Only for reads that Pie itself defines, each a single function call that is quick and leaves nothing
 * on the connection. No other SQL ever runs here: what one request leaves, all others would meet.
 */
export interface SharedConnections {
  /** @throws Refusal `database_unavailable`, `timeout`; pg.DatabaseError for what the statement raised */
  read(statement: Statement): Promise<Row[]>
  close(): Promise<void>
}

interface Slot {
  /** Null until it is needed, and again when the connection has broken. */
  client: Promise<pg.Client> | null
}

export function openSharedConnections(url: Secret, log: Log, count = 2): SharedConnections {
  const slots: Slot[] = Array.from({ length: count }, () => ({ client: null }))
  let turn = 0
  return {
    read: (statement) => {
      turn = (turn + 1) % count
      return readOn(slots[turn] as Slot, statement, url, log)
    },
    close: async () => {
      for (const { client } of slots) await client?.then((open) => open.end()).catch(() => {})
    },
  }
}

async function readOn(slot: Slot, statement: Statement, url: Secret, log: Log): Promise<Row[]> {
  slot.client ??= connect(slot, url, log)
  try {
    const client = await slot.client
    const giveUp = setTimeout(() => cutOff(client), WAIT_FOR_ANSWER_MS)
    const { name, text, values } = statement
    writeTogether(client)
    try {
      return (await client.query({ name, text, values: [...values] })).rows
    } finally {
      clearTimeout(giveUp)
    }
  } catch (error) {
    throw toRefusal(error)
  }
}

/** Statements that are sent in one turn of the event loop leave in one write: writing is what costs. */
function writeTogether(client: pg.Client): void {
  const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection
  if (stream.writableCorked > 0) return
  stream.cork()
  setImmediate(() => stream.uncork())
}

async function connect(slot: Slot, url: Secret, log: Log): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url.revealText(),
    connectionTimeoutMillis: WAIT_FOR_CONNECTION_MS,
    application_name: 'pie',
    keepAlive: true,
    pipeline: true,
  })
  // What waits on it fails by itself; the next read opens another.
  const forget = (error?: Error) => {
    if (error !== undefined) log.warn({ err: error }, 'a shared database connection broke')
    slot.client = null
  }
  client.on('error', forget)
  client.on('end', () => forget())
  try {
    await client.connect()
  } catch (error) {
    slot.client = null
    throw error
  }
  return client
}
