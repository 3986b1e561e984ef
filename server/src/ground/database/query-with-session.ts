import type { QueryConfig, QueryResult, QueryResultRow } from 'pg'
import { type Connections, queryAsSession } from './begin-as-session.ts'
import { toOneStatement } from './one-statement.ts'
import type { SessionCredential } from './request-transaction.ts'

/**
 * `withSession` for work that is one query: proof, query and commit in one round trip.
 *
 * @param connections as the role cream: a pool of pg's
 * @throws Refusal `unauthenticated` when Postgres refuses the session, `database_unavailable`, `timeout`;
 *   pg.DatabaseError of the query
 */
// biome-ignore lint/suspicious/noExplicitAny: as pg has it, whose place it takes
export async function queryWithSession<Row extends QueryResultRow = any>(
  connections: Connections,
  credential: SessionCredential,
  query: string | QueryConfig,
  values?: unknown[],
): Promise<QueryResult<Row>> {
  return queryAsSession(connections, credential, toOneStatement(query, values))
}
