import pg, { type PoolClient, type QueryConfig, type QueryResult } from 'pg'
import { Refusal } from '../errors.ts'
import {
  isClean,
  isTransactionPooled,
  noteCommand,
  type PoolMode,
  stateOf,
} from './connection-state.ts'
import {
  cutOff,
  isConnectionLost,
  isPlanOutdated,
  isReadOnly,
  toRefusal,
  WAIT_FOR_ANSWER_MS,
} from './lost-connection.ts'
import type { Statement } from './pipeline.ts'
import { isUnclean } from './pool.ts'
import { readPoolMode } from './pool-mode.ts'
import { hasFailedBefore, queryAfter } from './query-after.ts'
import { authenticate, type SessionCredential } from './request-transaction.ts'
import { putAwayStatements, resetStatements } from './reset-connection.ts'
import { endUnclean } from './through-pooler.ts'

/** Where connections as the role cream come from: a pool of pg's is one. */
export interface Connections {
  connect(): Promise<PoolClient>
}

export interface BegunTransaction {
  client: PoolClient
  /** What the first query brought: it may have failed, with the session proven all the same. */
  first: Promise<QueryResult>
}

const begin: Statement = { name: '', text: 'begin', values: [] }

/**
 * Begins a transaction in which a session is proven, and runs its first query, in one round trip.
 * @throws Refusal `unauthenticated`, `database_unavailable`
 */
export async function beginAsSession(
  connections: Connections,
  credential: SessionCredential,
  query: QueryConfig,
): Promise<BegunTransaction> {
  return prove(connections, credential, [begin], query)
}

/**
 * Runs one query as a session's user, kept at once: one round trip for all of it, because what is sent
 * before one Sync is a transaction, as in `sendTogether`.
 *
 * @throws Refusal `unauthenticated`, `database_unavailable`, `timeout`; pg.DatabaseError of the query
 */
export async function queryAsSession(
  connections: Connections,
  credential: SessionCredential,
  query: QueryConfig,
): Promise<QueryResult> {
  const { client, first } = await prove(connections, credential, [], query)
  try {
    return await first
  } finally {
    release(client)
  }
}

async function prove(
  connections: Connections,
  { sessionId, proofs }: SessionCredential,
  opening: Statement[],
  query: QueryConfig,
): Promise<BegunTransaction> {
  // There is more than one proof only while SECRET_KEY is being changed.
  for (const proof of proofs) {
    const begun = await beginWith(connections, opening, authenticate(sessionId, proof), query)
    if (begun !== null) return begun
  }
  throw new Refusal('unauthenticated')
}

/** More than any pool has connections that somebody may have left unclean. */
const MOST_TRIES = 1_000

/** Null where Postgres refuses the proof. Every connection that was left unclean is closed, and the next tried. */
async function beginWith(
  connections: Connections,
  opening: Statement[],
  proving: Statement,
  query: QueryConfig,
): Promise<BegunTransaction | null> {
  for (let triesLeft = MOST_TRIES; ; triesLeft -= 1) {
    const client = await connect(connections)
    const poolMode = await poolModeFor(client)
    const reset = poolMode === 'transaction' ? putAwayStatements(client) : resetStatements
    const before = [...opening, ...reset, proving]
    const first = ask(client, () => queryAfter(client, before, query))
    try {
      await first
    } catch (error) {
      if (hasFailedBefore(error)) {
        const isRefused = error instanceof pg.DatabaseError && error.code === '28000'
        if (isRefused && opening.length > 0) await ask(client, () => client.query('rollback'))
        // A pooler ends the server's connection where a client goes in the middle of a transaction; where it
        // was over already, every retry could meet it again.
        if (isUnclean(error) && isTransactionPooled(client) && opening.length === 0)
          await endUnclean(client)
        release(client, !isRefused)
        if (isRefused) return null
        if (isUnclean(error) && triesLeft > 0) continue
        throw error
      }
    }
    return { client, first }
  }
}

async function connect(connections: Connections): Promise<PoolClient> {
  try {
    const client = await connections.connect()
    client.on('error', ignore)
    return client
  } catch (cause) {
    if (cause instanceof Refusal) throw cause
    throw new Refusal('database_unavailable', { retryAfterSeconds: 2, cause })
  }
}

/** Of a pool that is not Pie's own nobody has said yet whether a pooler is behind it. */
async function poolModeFor(client: PoolClient): Promise<PoolMode> {
  const { poolMode } = stateOf(client)
  if (poolMode !== null) return poolMode
  const giveUp = setTimeout(() => cutOff(client), WAIT_FOR_ANSWER_MS)
  try {
    return await readPoolMode(client)
  } catch (cause) {
    release(client, true)
    throw toRefusal(cause)
  } finally {
    clearTimeout(giveUp)
  }
}

/** What breaks while it works fails whoever waits for it. Unheard, the event would end the process. */
const ignore = () => {}

/** Gives a connection back; one that is broken, or on which something was left, is closed. */
export function release(client: PoolClient, isBroken = false): void {
  client.off('error', ignore)
  client.release(isBroken || !isClean(client))
}

/**
 * Waits for a query, but not for ever.
 * @throws what it raised; Refusal `database_unavailable` where the connection is lost, `timeout`
 */
export async function ask(
  client: PoolClient,
  run: () => Promise<QueryResult>,
): Promise<QueryResult> {
  const giveUp = setTimeout(() => cutOff(client), WAIT_FOR_ANSWER_MS)
  try {
    const result = await run()
    noteCommand(stateOf(client), result.command ?? '')
    return result
  } catch (error) {
    // pg throws what is no fault of the connection's too: for values that it cannot send, say.
    const isFromPostgres = error instanceof pg.DatabaseError || !isConnected(client)
    // What was prepared on it before its tables changed would fail whoever comes next, too.
    if (isFromPostgres && (isConnectionLost(error) || isReadOnly(error) || isPlanOutdated(error)))
      stateOf(client).isLost = true
    throw isFromPostgres ? toRefusal(error) : error
  } finally {
    clearTimeout(giveUp)
  }
}

function isConnected(client: PoolClient): boolean {
  const { connection } = client as unknown as { connection: { stream: { destroyed: boolean } } }
  return !connection.stream.destroyed
}
