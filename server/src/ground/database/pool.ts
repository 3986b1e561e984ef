import pg from 'pg'
import type { Secret } from '../crypto/secret.ts'
import { createDurations, type Durations } from '../durations.ts'
import { Refusal } from '../errors.ts'
import type { Log } from '../log.ts'
import { isClean, isTransactionPooled, type PoolMode, stateOf } from './connection-state.ts'
import { createLogin, type Login } from './login.ts'
import {
  cutOff,
  isConnectionLost,
  toRefusal,
  WAIT_FOR_ANSWER_MS,
  WAIT_FOR_CONNECTION_MS,
} from './lost-connection.ts'
import { type Statement, sendTogether } from './pipeline.ts'
import { endUnclean, sendThroughPooler } from './through-pooler.ts'

export type Row = pg.QueryResultRow

/** Connections that work as one login role. */
export interface Database {
  /**
   * Runs statements in one round trip and one transaction; see `sendTogether`.
   * @throws Refusal `database_unavailable` when no connection can be had, `timeout` when the role's
   *   statement_timeout passed; pg.DatabaseError for what a statement raised
   */
  send(...statements: Statement[]): Promise<Row[][]>
  /**
   * A connection for work of several round trips, to be released.
   * @throws Refusal `database_unavailable`
   */
  connect(): Promise<pg.PoolClient>
  poolMode: PoolMode
  pool: pg.Pool
  /** How long requests have waited for a connection: also those that got none. */
  waits: Durations
}

/** @param urls see `createLogin` */
export function openDatabase(
  urls: Secret | readonly Secret[],
  log: Log,
  connections = 10,
  poolMode: PoolMode = 'session',
): Database {
  const login = createLogin(urls)
  const waits = createDurations()
  const pool = new pg.Pool({
    application_name: 'pie',
    ...login.config(),
    max: connections,
    connectionTimeoutMillis: WAIT_FOR_CONNECTION_MS,
    keepAlive: true,
    onConnect: login.check,
  })
  // One that breaks while it works fails what waits for it, and tells nobody else; without a listener
  // its error event would end the process.
  pool.on('connect', (client) => {
    stateOf(client).poolMode = poolMode
    client.on('error', () => {}).on('notice', logWarning(log))
  })
  // A connection that breaks while idle is dropped by the pool; the next request opens another.
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'))
  return {
    pool,
    poolMode,
    waits,
    connect: () => connectCounted(pool, login, waits),
    send: (...statements) => sendOnce(pool, login, waits, statements),
  }
}

/** What SQL warns of, such as a hook of the application's that failed. Lesser notices are for nobody. */
const logWarning =
  (log: Log) => (notice: Partial<Record<'severity' | 'code' | 'message', string | undefined>>) => {
    if (notice.severity === 'WARNING') log.warn({ sqlstate: notice.code }, notice.message)
  }

async function sendOnce(
  pool: pg.Pool,
  login: Login,
  waits: Durations,
  statements: Statement[],
): Promise<Row[][]> {
  const client = await connectCounted(pool, login, waits)
  let isBroken = false
  const giveUp = setTimeout(() => cutOff(client), WAIT_FOR_ANSWER_MS)
  try {
    if (isTransactionPooled(client)) return await sendThroughPooler(client, statements)
    return await sendTogether(client, statements)
  } catch (error) {
    // A value that cannot be sent: nothing has been.
    if (error instanceof RangeError) throw error
    isBroken = isConnectionLost(error) || isUnclean(error)
    if (isTransactionPooled(client) && isUnclean(error)) await endUnclean(client)
    throw toRefusal(error)
  } finally {
    clearTimeout(giveUp)
    client.release(isBroken || !isClean(client))
  }
}

async function connectCounted(
  pool: pg.Pool,
  login: Login,
  waits: Durations,
): Promise<pg.PoolClient> {
  const beganMs = performance.now()
  try {
    return await connect(pool, login)
  } finally {
    waits.observe(performance.now() - beganMs)
  }
}

async function connect(pool: pg.Pool, login: Login): Promise<pg.PoolClient> {
  for (let triesLeft = login.tries; ; triesLeft -= 1) {
    try {
      return await pool.connect()
    } catch (cause) {
      if (login.tryNext(cause) && triesLeft > 1) {
        Object.assign(pool.options, login.config())
        continue
      }
      throw new Refusal('database_unavailable', { retryAfterSeconds: 2, cause })
    }
  }
}

/** SQLSTATE PI001: what `authenticate` raises where SQL has left a prepared statement or a temporary table. */
export function isUnclean(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === 'PI001'
}
