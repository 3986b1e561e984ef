import type { Duplex } from 'node:stream'
import type pg from 'pg'
import type { Secret } from '../crypto/secret.ts'
import { Refusal } from '../errors.ts'
import type { Log } from '../log.ts'
import { connectClient } from './connect-client.ts'
import { stateOf } from './connection-state.ts'
import type { Lineage } from './lineage.ts'
import { createLogin, type Login } from './login.ts'
import {
  cutOff,
  isConnectionLost,
  isPlanOutdated,
  isReadOnly,
  NoAnswer,
  toRefusal,
  WAIT_FOR_ANSWER_MS,
  WAIT_FOR_CONNECTION_MS,
} from './lost-connection.ts'
import type { Statement } from './pipeline.ts'
import type { Database, Row } from './pool.ts'

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

/** @param urls see `createLogin` */
export function openSharedConnections(
  urls: Secret | readonly Secret[],
  log: Log,
  lineage: Lineage | null = null,
  count = 2,
): SharedConnections {
  const login = createLogin(urls, { runs: 'own', mustWrite: true, lineage, takesOptions: true })
  const slots: Slot[] = Array.from({ length: count }, () => ({ client: null }))
  lineage?.onNewer(() => {
    for (const slot of slots) leaveOlder(slot, lineage)
  })
  let turn = 0
  return {
    read: (statement) => {
      turn = (turn + 1) % count
      return readOn(slots[turn] as Slot, statement, login, log)
    },
    close: async () => {
      for (const { client } of slots) await client?.then((open) => open.end()).catch(() => {})
    },
  }
}

/**
 * The same reads where a pooler stands between: one at a time on each connection of requests, because a
 * connection on which there is always something under way would keep one of the pooler's to itself.
 */
export function readThroughPooler(requests: Database): SharedConnections {
  const read = async (statement: Statement) => (await requests.send(statement))[0] ?? []
  return {
    read: (statement) =>
      read(statement).catch((error) => {
        // Once more, as below. A pooler hangs up on everybody when it is started again.
        if (error instanceof Refusal && error.code === 'database_unavailable')
          return read(statement)
        throw error
      }),
    close: async () => {},
  }
}

/** Another primary has been promoted: what this connection still says is not to be believed, and may never come. */
function leaveOlder(slot: Slot, lineage: Lineage): void {
  const leaving = slot.client
  leaving
    ?.then((client) => {
      if (!lineage.isLeft(stateOf(client).primary)) return
      if (slot.client === leaving) slot.client = null
      cutOff(client, new Error('another primary was promoted'))
    })
    .catch(() => {})
}

async function readOn(slot: Slot, statement: Statement, login: Login, log: Log): Promise<Row[]> {
  const opened = connectionOf(slot, login, log)
  try {
    return await sendOn(await opened, statement)
  } catch (error) {
    const isOver = isConnectionLost(error) || isReadOnly(error) || isPlanOutdated(error)
    // A server that hangs up says so before it does.
    if (isOver && slot.client === opened) {
      slot.client = null
      opened.then((client) => client.end()).catch(() => {})
    }
    // Who has waited for long would only wait again.
    if (!isOver || error instanceof NoAnswer) throw toRefusal(error)
  }
  try {
    // A read changes nothing, so where its connection is good for nothing more it is tried once more, on a new one.
    return await sendOn(await connectionOf(slot, login, log), statement)
  } catch (error) {
    throw toRefusal(error)
  }
}

function connectionOf(slot: Slot, login: Login, log: Log): Promise<pg.Client> {
  if (slot.client !== null) return slot.client
  const opening = connect(login, log, () => {
    if (slot.client === opening) slot.client = null
  })
  slot.client = opening
  return opening
}

async function sendOn(client: pg.Client, { name, text, values }: Statement): Promise<Row[]> {
  const giveUp = setTimeout(() => cutOff(client), WAIT_FOR_ANSWER_MS)
  writeTogether(client)
  try {
    return (await client.query({ name, text, values: [...values] })).rows
  } finally {
    clearTimeout(giveUp)
  }
}

/** Statements that are sent in one turn of the event loop leave in one write: writing is what costs. */
function writeTogether(client: pg.Client): void {
  const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection
  if (stream.writableCorked > 0) return
  stream.cork()
  setImmediate(() => stream.uncork())
}

/** @param forget called when the connection cannot be had, or is had no longer */
async function connect(login: Login, log: Log, forget: () => void): Promise<pg.Client> {
  const settings = {
    connectionTimeoutMillis: WAIT_FOR_CONNECTION_MS,
    keepAlive: true,
    pipeline: true,
  }
  try {
    const client = await connectClient(login, {
      application_name: 'pie reads',
      ...settings,
      withinMs: WAIT_FOR_CONNECTION_MS,
    })
    client.on('error', (error) => {
      log.warn({ err: error }, 'a shared database connection broke')
      forget()
    })
    client.on('end', forget)
    return client
  } catch (error) {
    forget()
    throw error
  }
}
