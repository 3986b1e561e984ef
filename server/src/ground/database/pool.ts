import pg from 'pg'
import type { Secret } from '../crypto/secret.ts'
import { createDurations, type Durations } from '../durations.ts'
import type { Log } from '../log.ts'
import { isClean, isTransactionPooled, type PoolMode, stateOf } from './connection-state.ts'
import { type Allowance, lend } from './lend.ts'
import type { Lineage } from './lineage.ts'
import { createWarningLog } from './log-warnings.ts'
import { createLogin } from './login.ts'
import {
  cutOff,
  isConnectionLost,
  isReadOnly,
  toRefusal,
  WAIT_FOR_ANSWER_MS,
  WAIT_FOR_CONNECTION_MS,
} from './lost-connection.ts'
import type { RunsSql } from './pinned-settings.ts'
import { type Statement, sendTogether } from './pipeline.ts'
import { sendUntilKept } from './send-until-kept.ts'
import { takeConnection } from './take-connection.ts'
import { endUnclean } from './through-pooler.ts'

export type Row = pg.QueryResultRow

/** Connections that work as one login role, all of them to the primary. */
export interface Database {
  /**
   * Runs statements in one round trip and one transaction; see `sendTogether`. Sent again where nothing was kept for a
   * reason that may be gone.
   *
   * @throws Refusal `database_unavailable` when no connection can be had, or none to a primary that takes changes;
   *   `timeout` when the role's statement_timeout passed; pg.DatabaseError for what a statement raised
   */
  send(...statements: Statement[]): Promise<Row[][]>
  /**
   * A connection for work of several round trips, to be released.
   * @throws Refusal `database_unavailable`
   */
  connect(): Promise<pg.PoolClient>
  /** The same connections, for work that may have so much of them and no more: it rejects with what the allowance says. */
  within(allowance: Allowance): Database
  poolMode: PoolMode
  pool: pg.Pool
  /** How long requests have waited for a connection: also those that got none. */
  waits: Durations
}

export interface DatabaseOptions {
  connections?: number
  poolMode?: PoolMode
  runs?: RunsSql
  lineage?: Lineage | null
}

interface Connecting {
  take(): Promise<pg.PoolClient>
  /** Each connection that there is. */
  all: Set<pg.PoolClient>
}

/** @param urls see `createLogin` */
export function openDatabase(
  urls: Secret | readonly Secret[],
  log: Log,
  { connections = 10, poolMode = 'session', runs = 'any', lineage = null }: DatabaseOptions = {},
): Database {
  const takesOptions = poolMode === 'session'
  const login = createLogin(urls, { runs, lineage, takesOptions, mustWrite: true })
  const waits = createDurations()
  const pool = new pg.Pool({
    application_name: 'pie',
    ...login.config(),
    max: connections,
    connectionTimeoutMillis: WAIT_FOR_CONNECTION_MS,
    keepAlive: true,
    onConnect: login.check,
  })
  const all = new Set<pg.PoolClient>()
  const logWarning = createWarningLog(log)
  // One that breaks while it works fails what waits for it, and tells nobody else; without a listener
  // its error event would end the process.
  pool.on('connect', (client) => {
    all.add(client)
    stateOf(client).poolMode = poolMode
    client.on('error', () => {}).on('notice', logWarning)
  })
  pool.on('remove', (client) => all.delete(client as pg.PoolClient))
  // A connection that breaks while idle is dropped by the pool; the next request opens another.
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'))
  lineage?.onNewer(() => {
    Object.assign(pool.options, login.config())
    leaveOlder(all, lineage)
  })
  const take = async () => {
    const beganMs = performance.now()
    try {
      return await takeConnection(pool, login, lineage)
    } finally {
      waits.observe(performance.now() - beganMs)
    }
  }
  const open = (connecting: Connecting): Database => ({
    pool,
    poolMode,
    waits,
    connect: connecting.take,
    send: (...statements) => sendOnce(connecting, statements),
    within: (allowance) => open({ take: () => lend(take, allowance), all }),
  })
  return open({ take, all })
}

/** Another primary has been promoted: what these connections still say is not to be believed, and may never come. */
function leaveOlder(all: ReadonlySet<pg.PoolClient>, lineage: Lineage): void {
  for (const client of all) {
    const state = stateOf(client)
    if (!lineage.isLeft(state.primary)) continue
    state.isLost = true
    cutOff(client, new Error('another primary was promoted'))
  }
}

async function sendOnce(connecting: Connecting, statements: Statement[]): Promise<Row[][]> {
  const client = await connecting.take()
  let isBroken = false
  const giveUp = setTimeout(() => cutOff(client), WAIT_FOR_ANSWER_MS)
  try {
    const rows = await sendUntilKept(client, statements)
    // An answer may have been on its way while somebody else learnt that it comes from a primary that has been left.
    if (stateOf(client).isLost) throw new Error('the connection was given up')
    return rows
  } catch (error) {
    // A value that cannot be sent: nothing has been.
    if (error instanceof RangeError) throw error
    isBroken = isConnectionLost(error) || isUnclean(error)
    if (isTransactionPooled(client) && isUnclean(error)) await endUnclean(client)
    if (isReadOnly(error)) {
      // SQL of an application's may raise it too.
      if (!isTransactionPooled(client) && !(await takesNoChanges(client))) throw error
      // All of them lead to where this one does, and are asked nothing more.
      for (const one of connecting.all) stateOf(one).isLeaving = true
    }
    throw toRefusal(error)
  } finally {
    clearTimeout(giveUp)
    client.release(isBroken || !isClean(client))
  }
}

async function takesNoChanges(client: pg.PoolClient): Promise<boolean> {
  try {
    const [[row] = []] = await sendTogether(client, [takesNoChangesStatement])
    return row?.['is_so'] === true
  } catch {
    return true
  }
}

const takesNoChangesStatement: Statement = {
  name: '',
  text: `select pg_catalog.pg_is_in_recovery() or pg_catalog.current_setting('transaction_read_only')::bool as is_so`,
  values: [],
}

/** SQLSTATE PI001: what `authenticate` raises where SQL has left a prepared statement or a temporary table. */
export function isUnclean(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === 'PI001'
}
