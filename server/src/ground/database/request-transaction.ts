import pg from 'pg'
import { Refusal } from '../errors.ts'
import type { Statement } from './pipeline.ts'
import type { Database, Row } from './pool.ts'

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
      const [, ...rows] = await database.send(authenticate(sessionId, proof), ...work)
      return rows
    } catch (error) {
      if (!isRefusedSession(error)) throw error
    }
  }
  throw new Refusal('unauthenticated')
}

function authenticate(sessionId: string, proof: Buffer): Statement {
  return {
    name: 'authenticate',
    text: 'select pie_private.authenticate($1, $2)',
    values: [sessionId, proof],
  }
}

/** SQLSTATE 28000, invalid_authorization_specification: what `authenticate` raises. */
function isRefusedSession(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '28000'
}
