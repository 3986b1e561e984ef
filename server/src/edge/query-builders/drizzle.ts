import type { DrizzleConfig } from 'drizzle-orm'
import { drizzle, type NodePgClient, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { SessionTransaction } from '../../ground/database/with-session.ts'

/**
 * Drizzle on a request transaction: `withSession(pool, credential, (tx) => drizzleOn(tx).select()…)`.
 * It is inside a transaction already; what may fail alone goes behind a savepoint.
 */
export function drizzleOn<Schema extends Record<string, unknown> = Record<string, never>>(
  transaction: SessionTransaction,
  config: DrizzleConfig<Schema> = {},
): NodePgDatabase<Schema> {
  // Of a client, Drizzle uses this and nothing else.
  const client = { query: transaction.query.bind(transaction) } as unknown as NodePgClient
  return drizzle(client, config)
}
