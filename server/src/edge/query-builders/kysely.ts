import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely'
import type { SessionTransaction } from '../../ground/database/with-session.ts'

/**
 * Kysely on a request transaction: `withSession(pool, credential, (tx) => kyselyOn<DB>(tx).selectFrom(…))`.
 * It is inside a transaction already; what may fail alone goes behind a savepoint.
 */
export function kyselyOn<Tables>(transaction: SessionTransaction): Kysely<Tables> {
  const client = {
    query: (text: string, values: unknown[]) => transaction.query(text, values),
    release: () => {},
  } as unknown as PostgresPoolClient
  const pool = { options: {}, connect: async () => client, end: async () => {} }
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
}
