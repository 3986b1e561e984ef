import pg from 'pg'
import { Refusal } from '../errors.ts'
import { failedStatementOf, type Statement } from './pipeline.ts'
import { type Database, isUnclean, type Row } from './pool.ts'
import { resetStatements } from './reset-connection.ts'
import type { SharedConnections } from './shared-connections.ts'

/** What a request shows Postgres: a session, and its proof under each key of SECRET_KEY, current first. */
export interface SessionCredential {
  sessionId: string
  proofs: readonly Buffer[]
}

/**
 * Runs statements as the session's user, in one round trip: `authenticate` first, which checks the
 * session against the database and takes its database role for this transaction alone, then the work.
 * When the session is not valid, nothing after `authenticate` runs.
 *
 * @throws Refusal `unauthenticated` when Postgres refuses the session
 */
export async function requestTransaction(
  database: Database,
  { sessionId, proofs }: SessionCredential,
  ...work: Statement[]
): Promise<Row[][]> {
  // There is more than one proof only while SECRET_KEY is being changed.
  for (const proof of proofs) {
    try {
      return await sendWith(database, authenticate(sessionId, proof), work)
    } catch (error) {
      if (!isRefusedSession(error, database)) throw error
    }
  }
  throw new Refusal('unauthenticated')
}

/**
 * Reads as the session's user with one function of Pie's own, on connections that are shared. One round
 * trip. The function claims the session and reads under row-level security, whose policies have the
 * claim proven: for a session that may not act it finds nothing.
 *
 * @param read the statement, given what its function claims; its one column is what was read
 * @throws Refusal `unauthenticated` when nothing was found
 */
export async function readAsSession<Found>(
  connections: SharedConnections,
  { sessionId, proofs }: SessionCredential,
  read: (sessionId: string, proof: Buffer) => Statement,
): Promise<Found> {
  for (const proof of proofs) {
    const [row] = await connections.read(read(sessionId, proof))
    const found = Object.values(row ?? {})[0]
    if (found !== null && found !== undefined) return found
  }
  throw new Refusal('unauthenticated')
}

/** Every connection that another request has left unclean is closed, and the next one is tried. */
async function sendWith(
  database: Database,
  proving: Statement,
  work: Statement[],
): Promise<Row[][]> {
  for (let triesLeft = database.pool.options.max; ; triesLeft--) {
    try {
      const before = resetFor(database)
      const rows = await database.send(...before, proving, ...work)
      return rows.slice(before.length + 1)
    } catch (error) {
      if (triesLeft === 0 || !isUnclean(error)) throw error
    }
  }
}

/** Through a pooler it goes before everything that is sent. */
const resetFor = ({ poolMode }: Database): readonly Statement[] =>
  poolMode === 'transaction' ? [] : resetStatements

/** Without a name, so that no statement prepared with SQL can stand in its place. */
export function authenticate(sessionId: string, proof: Buffer): Statement {
  return {
    name: '',
    text: 'select pie_private.authenticate($1, $2)',
    values: [sessionId, proof],
  }
}

/** By `authenticate`: the work may raise the same, for reasons of its own. */
function isRefusedSession(error: unknown, database: Database): boolean {
  return isSessionRefused(error) && failedStatementOf(error) === resetFor(database).length
}

/** SQLSTATE 28000: what Pie's functions raise for a session that is not proven, or not valid. */
export function isSessionRefused(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && error.code === '28000'
}
