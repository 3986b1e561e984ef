import type { Duplex } from 'node:stream'
import pg from 'pg'
import type { Secret } from '../crypto/secret.ts'
import { Refusal } from '../errors.ts'
import type { Log } from '../log.ts'
import { isClean, type Statement, sendTogether } from './pipeline.ts'

export type Row = pg.QueryResultRow

/** Connections that work as one login role. */
export interface Database {
  /**
   * Runs statements in one round trip and one transaction; see `sendTogether`.
   * @throws Refusal `database_unavailable` when no connection can be had, `timeout` when the role's
   *   statement_timeout passed; pg.DatabaseError for what a statement raised
   */
  send(...statements: Statement[]): Promise<Row[][]>
  pool: pg.Pool
}

/** How long a request waits for a connection. */
const WAIT_FOR_CONNECTION_MS = 5_000

/** How long it waits for an answer: longer than statement_timeout, so only a server gone silent is cut off. */
const WAIT_FOR_ANSWER_MS = 20_000

export function openDatabase(url: Secret, log: Log, connections = 10): Database {
  const pool = new pg.Pool({
    connectionString: url.revealText(),
    max: connections,
    connectionTimeoutMillis: WAIT_FOR_CONNECTION_MS,
    application_name: 'pie',
    keepAlive: true,
  })
  // One that breaks while it works fails what waits for it, and tells nobody else; without a listener
  // its error event would end the process.
  pool.on('connect', (client) => void client.on('error', () => {}))
  // A connection that breaks while idle is dropped by the pool; the next request opens another.
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'))
  return { pool, send: (...statements) => sendOnce(pool, statements) }
}

async function sendOnce(pool: pg.Pool, statements: Statement[]): Promise<Row[][]> {
  const client = await connect(pool)
  let isBroken = false
  const giveUp = setTimeout(() => cutOff(client), WAIT_FOR_ANSWER_MS)
  try {
    return await sendTogether(client, statements)
  } catch (error) {
    // A value that cannot be sent: nothing has been.
    if (error instanceof RangeError) throw error
    isBroken =
      !(error instanceof pg.DatabaseError) || isShuttingDown(error) || error.code === 'PI001'
    throw toRefusal(error)
  } finally {
    clearTimeout(giveUp)
    client.release(isBroken || !isClean(client))
  }
}

/** Ends the connection without a word; what waits for it fails. */
function cutOff(client: pg.PoolClient): void {
  const { connection } = client as pg.PoolClient & { connection: { stream: Duplex } }
  connection.stream.destroy(new Error('Postgres has not answered in time'))
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect()
  } catch (cause) {
    throw new Refusal('database_unavailable', { retryAfterSeconds: 2, cause })
  }
}

/** Class 57 of Appendix A of the PostgreSQL manual, "Operator Intervention", without cancelled queries. */
function isShuttingDown(error: pg.DatabaseError): boolean {
  return error.code !== undefined && /^57P0[1-4]$/.test(error.code)
}

function toRefusal(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError) || isShuttingDown(error)) {
    return new Refusal('database_unavailable', { retryAfterSeconds: 2, cause: error })
  }
  if (error.code === '57014') return new Refusal('timeout', { retryAfterSeconds: 2, cause: error })
  return error
}
